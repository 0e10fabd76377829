package main

import (
	"context"
	"fmt"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// resolve returns the Python environment that the project's `runtime.options` name, checked to
// exist. The `typechecker` option is accepted and left to the project's own lint step.
func resolve(ctx context.Context, info *pulumirpc.ProgramInfo) (toolchain.Toolchain, error) {
	options := toolchain.PythonOptions{
		Root:       info.GetRootDirectory(),
		ProgramDir: info.GetProgramDirectory(),
		Toolchain:  toolchain.Pip,
	}
	for key, value := range info.GetOptions().AsMap() {
		text, isText := value.(string)
		if !isText {
			return nil, fmt.Errorf("runtime option %q: want text, got %v", key, value)
		}
		switch key {
		case "virtualenv":
			options.Virtualenv = text
		case "toolchain":
			if text != "pip" {
				return nil, fmt.Errorf(
					"runtime option toolchain=%q: this Python language host knows only \"pip\"; %s", text, useOfficial)
			}
		case "typechecker":
		default:
			return nil, fmt.Errorf("runtime option %q: want one of virtualenv, toolchain, typechecker", key)
		}
	}
	environment, err := toolchain.ResolveToolchain(options)
	if err != nil {
		return nil, err
	}
	if err := environment.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	return environment, nil
}

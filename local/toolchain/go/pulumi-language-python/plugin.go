package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// RunPlugin runs a policy pack, or a plugin given as a folder with a `__main__.py`, and streams
// what it prints until it ends or the engine lets go of it.
func (h *host) RunPlugin(
	request *pulumirpc.RunPluginRequest, stream pulumirpc.LanguageRuntime_RunPluginServer,
) error {
	if request.GetAttachDebugger() {
		return refused("start a debugger", useOfficial)
	}
	running, release := h.programs.context(stream.Context())
	defer release()
	command, err := pluginCommand(running, request)
	if err != nil {
		return err
	}
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(stream, false)
	if err != nil {
		return err
	}
	command.Stdout, command.Stderr = stdout, stderr
	endGently(command)

	err = errors.Join(command.Run(), closer.Close())
	failure := new(exec.ExitError)
	switch {
	case err == nil, running.Err() != nil:
		return nil
	case errors.As(err, &failure):
		return stream.Send(&pulumirpc.RunPluginResponse{
			Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(failure.ExitCode())},
		})
	default:
		return fmt.Errorf("running the plugin in %s: %w", request.GetInfo().GetProgramDirectory(), err)
	}
}

// pluginCommand builds the command line of a plugin, run in its own environment: the engine's
// variables (PULUMI_* of the stack among them) with the virtual environment's PATH in front.
func pluginCommand(ctx context.Context, request *pulumirpc.RunPluginRequest) (*exec.Cmd, error) {
	environment, err := resolve(ctx, request.GetInfo())
	if err != nil {
		return nil, err
	}
	folder := request.GetInfo().GetProgramDirectory()
	var arguments []string
	directory := request.GetPwd()
	if request.GetKind() == string(apitype.AnalyzerPlugin) {
		arguments = append([]string{"-u", "-m", "pulumi.policy"}, request.GetArgs()...)
		arguments = append(arguments, folder)
		directory = folder
	} else {
		arguments = append([]string{"-u", filepath.Clean(folder)}, request.GetArgs()...)
	}
	command, err := environment.Command(ctx, arguments...)
	if err != nil {
		return nil, err
	}
	command.Dir = directory
	command.Env = request.GetEnv()
	virtualenv, err := environment.VirtualEnvPath(ctx)
	if err != nil {
		return nil, err
	}
	if virtualenv != "" {
		command.Env = toolchain.ActivateVirtualEnv(command.Env, virtualenv)
	}
	return command, nil
}

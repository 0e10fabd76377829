package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// exitAfterMessage is the executor's exit code for an error that the user has been shown already.
const exitAfterMessage = 32

// Run runs a program to its end. A failed program is a response, not an error: it bails when the
// user has seen the reason, otherwise it says with which exit code the program ended.
func (h *host) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	if request.GetAttachDebugger() {
		return nil, refused("start a debugger", useOfficial)
	}
	environment, err := resolve(ctx, request.GetInfo())
	if err != nil {
		return nil, err
	}
	settings, err := configuration(request)
	if err != nil {
		return nil, err
	}
	running, release := h.programs.context(ctx)
	defer release()
	command, err := environment.Command(running, append([]string{"-u", h.executor}, h.arguments(request)...)...)
	if err != nil {
		return nil, err
	}
	if command.Env == nil {
		command.Env = os.Environ()
	}
	command.Env = append(command.Env, settings...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	endGently(command)

	err = command.Run()
	switch failure := new(exec.ExitError); {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case running.Err() != nil:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case errors.As(err, &failure) && failure.ExitCode() == exitAfterMessage:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case errors.As(err, &failure):
		return &pulumirpc.RunResponse{Error: "Program ended: " + failure.String()}, nil
	case errors.Is(err, syscall.E2BIG):
		return &pulumirpc.RunResponse{Error: tooLarge(request)}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("Could not run %s: %v", command.Path, err)}, nil
	}
}

// arguments is the executor's command line. It holds addresses and names, never a secret.
func (h *host) arguments(request *pulumirpc.RunRequest) []string {
	var arguments []string
	for _, option := range []struct{ name, value string }{
		{"monitor", request.GetMonitorAddress()},
		{"engine", h.engineAddress},
		{"project", request.GetProject()},
		{"root_directory", request.GetInfo().GetRootDirectory()},
		{"stack", request.GetStack()},
		{"organization", request.GetOrganization()},
		{"pwd", request.GetPwd()},
		{"dry_run", strconv.FormatBool(request.GetDryRun())},
		{"parallel", strconv.Itoa(int(request.GetParallel()))},
		{"tracing", h.tracing},
	} {
		if option.value != "" {
			arguments = append(arguments, "--"+option.name, option.value)
		}
	}
	program := request.GetInfo().GetEntryPoint()
	if program == "" {
		program = "."
	}
	return append(append(arguments, program), request.GetArgs()...)
}

// configuration is the stack's configuration as the environment variables that the SDK reads.
func configuration(request *pulumirpc.RunRequest) ([]string, error) {
	values, err := json.Marshal(nonNil(request.GetConfig()))
	if err != nil {
		return nil, fmt.Errorf("writing the stack's configuration: %w", err)
	}
	secrets, err := json.Marshal(append([]string{}, request.GetConfigSecretKeys()...))
	if err != nil {
		return nil, fmt.Errorf("writing the keys of the stack's secrets: %w", err)
	}
	return []string{"PULUMI_CONFIG=" + string(values), "PULUMI_CONFIG_SECRET_KEYS=" + string(secrets)}, nil
}

// tooLarge says why a program could not be given its configuration: the system bounds the length of
// one environment variable (128 KiB on Linux), and the SDK reads the configuration from one.
func tooLarge(request *pulumirpc.RunRequest) string {
	total, largest := 0, ""
	for key, value := range request.GetConfig() {
		total += len(value)
		if len(value) > len(request.GetConfig()[largest]) {
			largest = key
		}
	}
	return fmt.Sprintf(
		"The configuration of stack %s takes %d KiB, more than this system hands to a program; nothing was changed. "+
			"%d KiB of it are %s. Keep most of that in files which the program reads itself "+
			"(for strongroom:grants, in the folder that strongroom:grantFiles names).",
		request.GetStack(), total/1024, len(request.GetConfig()[largest])/1024, largest)
}

func nonNil(values map[string]string) map[string]string {
	if values == nil {
		return map[string]string{}
	}
	return values
}

package main

import (
	"context"
	"fmt"

	sdk "github.com/pulumi/pulumi/sdk/v3"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// host answers the engine's requests about Python programs.
type host struct {
	// Requests that this type does not answer get the protocol's own "unimplemented".
	pulumirpc.UnimplementedLanguageRuntimeServer

	executor      string
	engineAddress string
	tracing       string
	programs      *processes
}

func newHost(executor, engineAddress, tracing string) *host {
	return &host{
		executor:      executor,
		engineAddress: engineAddress,
		tracing:       tracing,
		programs:      newProcesses(),
	}
}

// Handshake takes the engine's address when the host was started without one.
func (h *host) Handshake(
	_ context.Context, request *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.engineAddress = request.GetEngineAddress()
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo reports the SDK version that this host was built on.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: sdk.Version.String()}, nil
}

// Cancel ends nothing: resource hooks of running steps live in the program, so it must outlast them.
// The engine closes the program's Run request when the last step is done, and that ends the program.
func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// InstallDependencies refuses: the project's environment has its own, hash-checked way to be made.
func (h *host) InstallDependencies(
	*pulumirpc.InstallDependenciesRequest, pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	return refused("install Python packages", "run `make` in the repository: it makes the virtual "+
		"environment from the locked requirements")
}

// RuntimeOptionsPrompts asks for nothing: the options stand in the project file.
func (h *host) RuntimeOptionsPrompts(
	context.Context, *pulumirpc.RuntimeOptionsRequest,
) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

// Template changes nothing: a new project's files are used as they are.
func (h *host) Template(
	context.Context, *pulumirpc.TemplateRequest,
) (*pulumirpc.TemplateResponse, error) {
	return &pulumirpc.TemplateResponse{}, nil
}

// GenerateProgram refuses: this host generates no code.
func (h *host) GenerateProgram(
	context.Context, *pulumirpc.GenerateProgramRequest,
) (*pulumirpc.GenerateProgramResponse, error) {
	return nil, refused("generate a program", useOfficial)
}

// GenerateProject refuses: this host generates no code.
func (h *host) GenerateProject(
	context.Context, *pulumirpc.GenerateProjectRequest,
) (*pulumirpc.GenerateProjectResponse, error) {
	return nil, refused("generate a project", useOfficial)
}

// GeneratePackage refuses: this host generates no code.
func (h *host) GeneratePackage(
	context.Context, *pulumirpc.GeneratePackageRequest,
) (*pulumirpc.GeneratePackageResponse, error) {
	return nil, refused("generate an SDK", useOfficial)
}

// Pack refuses: this host builds no packages.
func (h *host) Pack(context.Context, *pulumirpc.PackRequest) (*pulumirpc.PackResponse, error) {
	return nil, refused("pack an SDK", useOfficial)
}

// Link refuses: this host edits no requirements.
func (h *host) Link(context.Context, *pulumirpc.LinkRequest) (*pulumirpc.LinkResponse, error) {
	return nil, refused("link a package", useOfficial)
}

const useOfficial = "use the host of the official Pulumi release for that"

func refused(what, instead string) error {
	return status.Error(codes.FailedPrecondition,
		fmt.Sprintf("this Python language host does not %s; %s", what, instead))
}

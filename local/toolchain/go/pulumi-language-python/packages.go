package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// manifestName is the file by which an SDK says which provider plugin it belongs to.
const manifestName = "pulumi-plugin.json"

// manifest is the part of that file that the engine needs.
type manifest struct {
	Resource bool   `json:"resource"`
	Name     string `json:"name"`
	Version  string `json:"version"`
	Server   string `json:"server"`
}

// GetRequiredPackages names the provider plugins of the installed SDKs that are on PATH. The others
// are left out on purpose: an SDK may be installed for a stack that this one is not, and the engine
// would stop for a plugin that the program never uses. What the program does use, the engine looks
// for when the first resource arrives, at the version that the SDK sends with it.
func (h *host) GetRequiredPackages(
	ctx context.Context, request *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	manifests, err := installedPlugins(ctx, request.GetInfo())
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GetRequiredPackagesResponse{}
	for _, plugin := range manifests {
		response.Packages = append(response.Packages, &pulumirpc.PackageDependency{
			Name: plugin.Name, Kind: string(apitype.ResourcePlugin), Version: plugin.Version, Server: plugin.Server,
		})
	}
	return response, nil
}

// GetRequiredPlugins is GetRequiredPackages for callers of the older protocol.
func (h *host) GetRequiredPlugins(
	ctx context.Context, request *pulumirpc.GetRequiredPluginsRequest,
) (*pulumirpc.GetRequiredPluginsResponse, error) {
	manifests, err := installedPlugins(ctx, request.GetInfo())
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GetRequiredPluginsResponse{}
	for _, plugin := range manifests {
		response.Plugins = append(response.Plugins, &pulumirpc.PluginDependency{
			Name: plugin.Name, Kind: string(apitype.ResourcePlugin), Version: plugin.Version, Server: plugin.Server,
		})
	}
	return response, nil
}

// installedPlugins reads the manifests in the environment's package folders.
func installedPlugins(ctx context.Context, info *pulumirpc.ProgramInfo) ([]manifest, error) {
	environment, err := resolve(ctx, info)
	if err != nil {
		return nil, err
	}
	command, err := environment.Command(ctx, "-c",
		"import sysconfig; print(sysconfig.get_path('purelib')); print(sysconfig.get_path('platlib'))")
	if err != nil {
		return nil, err
	}
	printed, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("asking %s for its package folders: %w", command.Path, err)
	}
	folders := strings.Split(strings.TrimSpace(string(printed)), "\n")
	slices.Sort(folders)
	var found []manifest
	for _, folder := range slices.Compact(folders) {
		paths, err := filepath.Glob(filepath.Join(folder, "*", manifestName))
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", folder, err)
		}
		for _, path := range paths {
			plugin, err := readManifest(path)
			if err != nil {
				return nil, err
			}
			if plugin.Resource && onPath(plugin.Name) {
				found = append(found, plugin)
			}
		}
	}
	return found, nil
}

// readManifest reads one manifest; a missing name is that of the Python package.
func readManifest(path string) (manifest, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return manifest{}, err
	}
	var plugin manifest
	if err := json.Unmarshal(content, &plugin); err != nil {
		return manifest{}, fmt.Errorf("%s is not a plugin manifest: %w", path, err)
	}
	if plugin.Name == "" {
		plugin.Name = strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "pulumi_")
	}
	return plugin, nil
}

func onPath(plugin string) bool {
	_, err := exec.LookPath("pulumi-resource-" + plugin)
	return err == nil
}

// GetProgramDependencies lists the environment's packages, for `pulumi about`.
func (h *host) GetProgramDependencies(
	ctx context.Context, request *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	environment, err := resolve(ctx, request.GetInfo())
	if err != nil {
		return nil, err
	}
	packages, err := environment.ListPackages(ctx, request.GetTransitiveDependencies())
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GetProgramDependenciesResponse{}
	for _, entry := range packages {
		response.Dependencies = append(response.Dependencies,
			&pulumirpc.DependencyInfo{Name: entry.Name, Version: entry.Version})
	}
	return response, nil
}

// About names the interpreter of the project's environment.
func (h *host) About(
	ctx context.Context, request *pulumirpc.AboutRequest,
) (*pulumirpc.AboutResponse, error) {
	environment, err := resolve(ctx, request.GetInfo())
	if err != nil {
		return nil, err
	}
	about, err := environment.About(ctx)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.AboutResponse{
		Executable: about.PythonExecutable,
		Version:    about.PythonVersion.String(),
		Metadata:   map[string]string{"toolchain": "pip", "pip": about.ToolchainVersion.String()},
	}, nil
}

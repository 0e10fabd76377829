// Command pulumi-resource-kubernetes serves Pulumi's Kubernetes provider, built from its published
// Go module for machines that cannot download the official plugin.
package main

import "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"

// version is the release that the pinned module revision corresponds to; set by the linker.
var version = "0.0.0"

func main() {
	// The schema and its Terraform map serve code generation only; an engine never asks for them here.
	provider.Serve("kubernetes", version, []byte("{}"), []byte("{}"))
}

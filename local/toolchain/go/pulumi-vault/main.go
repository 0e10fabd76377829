// Command pulumi-resource-vault serves HashiCorp's Terraform provider for Vault as Pulumi's vault
// provider, for machines that cannot download the official plugin.
//
// Resources keep the tokens and property names of the pulumi-vault package on PyPI: names.json says
// which Terraform resource is behind which token. generate.py writes it from the installed package.
package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-provider-vault/vault"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// version is the release of the pulumi-vault package that names.json was made from; set by the linker.
var version = "0.0.0"

//go:embed names.json
var namesJSON []byte

// named is a Terraform resource, data source or property as the pulumi-vault package calls it.
type named struct {
	Token       string           `json:"token,omitempty"`
	Name        string           `json:"name,omitempty"`
	MaxItemsOne *bool            `json:"maxItemsOne,omitempty"`
	Secret      *bool            `json:"secret,omitempty"`
	Fields      map[string]named `json:"fields,omitempty"`
}

type names struct {
	Provider  map[string]named `json:"provider"`
	Resources map[string]named `json:"resources"`
	Functions map[string]named `json:"functions"`
}

func main() {
	provider, err := vaultProvider()
	if err == nil && len(os.Args) == 2 && os.Args[1] == "-describe" {
		err = describe(os.Stdout, provider)
	} else if err == nil {
		// The schema serves code generation only; an engine never asks for it here.
		tfbridge.Main("vault", version, provider, []byte("{}"))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-resource-vault: %v\n", err)
		os.Exit(1)
	}
}

func vaultProvider() (tfbridge.ProviderInfo, error) {
	var known names
	if err := json.Unmarshal(namesJSON, &known); err != nil {
		return tfbridge.ProviderInfo{}, fmt.Errorf("names.json: %w", err)
	}
	info := tfbridge.ProviderInfo{
		P:            shimv2.NewProvider(vault.Provider()),
		Name:         "vault",
		Version:      version,
		GitHubOrg:    "hashicorp",
		Config:       fields(known.Provider),
		Resources:    map[string]*tfbridge.ResourceInfo{},
		DataSources:  map[string]*tfbridge.DataSourceInfo{},
		MetadataInfo: tfbridge.NewProviderMetadata([]byte("{}")),
	}
	for terraform, resource := range known.Resources {
		if _, found := info.P.ResourcesMap().GetOk(terraform); !found {
			return info, fmt.Errorf("names.json: the Terraform provider has no resource %s", terraform)
		}
		info.Resources[terraform] = &tfbridge.ResourceInfo{
			Tok:    tokens.Type(resource.Token),
			Fields: fields(resource.Fields),
		}
	}
	for terraform, function := range known.Functions {
		if _, found := info.P.DataSourcesMap().GetOk(terraform); !found {
			return info, fmt.Errorf("names.json: the Terraform provider has no data source %s", terraform)
		}
		info.DataSources[terraform] = &tfbridge.DataSourceInfo{
			Tok:    tokens.ModuleMember(function.Token),
			Fields: fields(function.Fields),
		}
	}
	info.SetAutonaming(255, "-")
	return info, nil
}

func fields(known map[string]named) map[string]*tfbridge.SchemaInfo {
	result := make(map[string]*tfbridge.SchemaInfo, len(known))
	for terraform, field := range known {
		info := &tfbridge.SchemaInfo{Name: field.Name, MaxItemsOne: field.MaxItemsOne, Secret: field.Secret}
		// A list's own entry names the list; the names of its elements' fields are one level down.
		if len(field.Fields) > 0 {
			info.Elem = &tfbridge.SchemaInfo{Fields: fields(field.Fields)}
		}
		result[terraform] = info
	}
	return result
}

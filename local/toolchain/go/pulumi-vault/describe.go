package main

import (
	"encoding/json"
	"io"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

// property is one property as a Pulumi program sees it.
type property struct {
	Terraform  string              `json:"terraform"`
	Type       string              `json:"type"`
	Input      bool                `json:"input"`
	Required   bool                `json:"required,omitempty"`
	Secret     bool                `json:"secret,omitempty"`
	WriteOnly  bool                `json:"writeOnly,omitempty"`
	Properties map[string]property `json:"properties,omitempty"`
}

// described is a resource or function by its Terraform name; Token is empty where none is mapped.
type described struct {
	Token      string              `json:"token,omitempty"`
	Properties map[string]property `json:"properties"`
}

// describe writes all that the plugin knows as JSON, for generate.py and the tests.
func describe(out io.Writer, info tfbridge.ProviderInfo) error {
	resources := map[string]described{}
	info.P.ResourcesMap().Range(func(terraform string, resource shim.Resource) bool {
		entry := described{}
		var known map[string]*tfbridge.SchemaInfo
		if mapped := info.Resources[terraform]; mapped != nil {
			entry.Token, known = string(mapped.Tok), mapped.Fields
		}
		entry.Properties = properties(resource.Schema(), known)
		resources[terraform] = entry
		return true
	})
	functions := map[string]described{}
	info.P.DataSourcesMap().Range(func(terraform string, source shim.Resource) bool {
		entry := described{}
		var known map[string]*tfbridge.SchemaInfo
		if mapped := info.DataSources[terraform]; mapped != nil {
			entry.Token, known = string(mapped.Tok), mapped.Fields
		}
		entry.Properties = properties(source.Schema(), known)
		functions[terraform] = entry
		return true
	})
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{
		"version":   version,
		"provider":  properties(info.P.Schema(), info.Config),
		"resources": resources,
		"functions": functions,
	})
}

func properties(schema shim.SchemaMap, known map[string]*tfbridge.SchemaInfo) map[string]property {
	result := map[string]property{}
	schema.Range(func(terraform string, field shim.Schema) bool {
		if field.Removed() != "" {
			return true
		}
		info := known[terraform]
		name := tfbridge.TerraformToPulumiNameV2(terraform, schema, known)
		// SetAutonaming gives a default to a required name, so a program may leave it out.
		automatic := info != nil && info.Default != nil
		described := property{
			Terraform: terraform,
			Type:      typeOf(field, info),
			Input:     field.Optional() || field.Required(),
			Required:  field.Required() && !automatic,
			Secret:    field.Sensitive() || (info != nil && info.Secret != nil && *info.Secret),
			WriteOnly: field.WriteOnly(),
		}
		if nested, ok := field.Elem().(shim.Resource); ok {
			var inner map[string]*tfbridge.SchemaInfo
			if info != nil && info.Elem != nil {
				inner = info.Elem.Fields
			}
			described.Properties = properties(nested.Schema(), inner)
		}
		result[name] = described
		return true
	})
	return result
}

func typeOf(field shim.Schema, info *tfbridge.SchemaInfo) string {
	switch field.Type() {
	case shim.TypeBool:
		return "bool"
	case shim.TypeInt:
		return "int"
	case shim.TypeFloat:
		return "float"
	case shim.TypeString:
		return "str"
	case shim.TypeMap:
		return "map"
	case shim.TypeList, shim.TypeSet:
		if tfbridge.IsMaxItemsOne(field, info) {
			return "single"
		}
		return "list"
	default:
		return field.Type().String()
	}
}

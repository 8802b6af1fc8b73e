package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// stage is a part of a Dockerfile, from one FROM to the next.
type stage struct {
	Name         string   `json:"name"`
	From         string   `json:"from"`
	Instructions []string `json:"instructions"`
}

// dockerfile gives its stages. What BuildKit's linter warns of is an error.
func dockerfile(file string) ([]byte, error) {
	source, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	parsed, err := parser.Parse(source)
	if err != nil {
		return nil, err
	}
	var warnings []string
	for _, warning := range parsed.Warnings {
		warnings = append(warnings, warning.Short)
	}
	warn := func(rule, description, _, message string, _ []parser.Range) {
		warnings = append(warnings, fmt.Sprintf("%s: %s (%s)", rule, message, description))
	}
	read, _, err := instructions.Parse(parsed.AST, linter.New(&linter.Config{Warn: warn}))
	if err != nil {
		return nil, err
	}
	if len(warnings) > 0 {
		return nil, fmt.Errorf("%s: %s", file, strings.Join(warnings, "; "))
	}
	var stages []stage
	for _, one := range read {
		written := stage{Name: one.Name, From: one.BaseName, Instructions: []string{}}
		for _, command := range one.Commands {
			written.Instructions = append(written.Instructions, fmt.Sprint(command))
		}
		stages = append(stages, written)
	}
	return json.MarshalIndent(stages, "", "  ")
}

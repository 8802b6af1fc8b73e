package main

import (
	"context"
	"encoding/json"

	"github.com/compose-spec/compose-go/v2/cli"
)

// composeFile gives the project, with everything that it leaves out filled in: unknown keys, wrong types, dependencies on services that
// are not there and the like are errors. The environment is empty, so that a variable without a default is one too.
func composeFile(file string) ([]byte, error) {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithInterpolation(true), cli.WithProfiles([]string{"*"}))
	if err != nil {
		return nil, err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(project, "", "  ")
}

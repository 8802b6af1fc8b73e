// validate reads compose files with the specification's own library and Dockerfiles with BuildKit's, as Docker does, and prints
// what is in them as JSON. No Docker is needed, and nothing is built or started.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: validate compose|dockerfile FILE"))
	}
	var text []byte
	var err error
	switch what, file := os.Args[1], os.Args[2]; what {
	case "compose":
		text, err = composeFile(file)
	case "dockerfile":
		text, err = dockerfile(file)
	default:
		err = fmt.Errorf("unknown command %q", what)
	}
	if err != nil {
		fail(err)
	}
	fmt.Println(string(text))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// cert-manager in one binary, chosen by the name it is called by, as cert-manager-webhook.
//
// The commands of the project are modules that the module proxy does not serve; these start the same
// library with the flags that the Helm chart sets.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cert-manager/cert-manager/internal/cmd/util"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/spf13/cobra"
	ctrl "sigs.k8s.io/controller-runtime"
)

var commands = map[string]func() *cobra.Command{
	"cert-manager-acmesolver": newSolver,
	"cert-manager-cainjector": newInjector,
	"cert-manager-controller": newController,
	"cert-manager-webhook":    newWebhook,
}

func main() {
	ctx, exit := util.SetupExitHandler(context.Background(), util.GracefulShutdown)
	defer exit()
	logf.InitLogs()
	defer logf.FlushLogs()
	ctrl.SetLogger(logf.Log)

	name := filepath.Base(os.Args[0])
	create, known := commands[name]
	if !known {
		fmt.Fprintf(os.Stderr, "called as %q; link this binary as a part of cert-manager, such as cert-manager-webhook\n", name)
		util.SetExitCodeValue(2)
		return
	}
	command := create()
	command.Use = name
	command.SilenceUsage = true
	if err := command.ExecuteContext(logf.NewContext(ctx, logf.Log, name)); err != nil {
		util.SetExitCode(err)
	}
}

// kube-state-metrics, which turns what the API server knows into figures. The program's own main also
// watches its configuration files, and cannot be imported; here a pod with other files is another pod.
package main

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
	"k8s.io/kube-state-metrics/v2/pkg/app"
	"k8s.io/kube-state-metrics/v2/pkg/options"
)

func main() {
	opts := options.NewOptions()
	command := options.InitCommand
	command.RunE = func(*cobra.Command, []string) error {
		return app.RunKubeStateMetricsWrapper(context.Background(), opts)
	}
	opts.AddFlags(command)
	if err := opts.Parse(); err != nil {
		klog.ErrorS(err, "kube-state-metrics ends")
		klog.FlushAndExit(klog.ExitFlushTimeout, 1)
	}
}

package main

import (
	"github.com/cert-manager/cert-manager/internal/apis/config/webhook/validation"
	cmwebhook "github.com/cert-manager/cert-manager/internal/webhook"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/webhook/options"
	"github.com/spf13/cobra"
)

// newWebhook checks and completes cert-manager's objects for the API server.
func newWebhook() *cobra.Command {
	config, err := options.NewWebhookConfiguration()
	command := &cobra.Command{
		RunE: func(command *cobra.Command, _ []string) error {
			if err != nil {
				return err
			}
			if found := validation.ValidateWebhookConfiguration(config, nil); len(found) > 0 {
				return found.ToAggregate()
			}
			if err := logf.ValidateAndApply(&config.Logging); err != nil {
				return err
			}
			server, err := cmwebhook.NewCertManagerWebhookServer(logf.FromContext(command.Context()), *config)
			if err != nil {
				return err
			}
			return server.Run(command.Context())
		},
	}
	if err == nil {
		options.AddConfigFlags(command.Flags(), config)
	}
	return command
}

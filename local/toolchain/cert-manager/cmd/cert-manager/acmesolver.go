package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/spf13/cobra"
)

// newSolver answers one HTTP-01 challenge until the controller deletes its pod.
func newSolver() *cobra.Command {
	answer := &solver.HTTP01Solver{}
	command := &cobra.Command{
		RunE: func(command *cobra.Command, _ []string) error {
			ctx := command.Context()
			go func() {
				<-ctx.Done()
				ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
				defer cancel()
				_ = answer.Shutdown(ending)
			}()
			err := answer.Listen(logf.FromContext(ctx))
			if errors.Is(err, http.ErrServerClosed) {
				return nil
			}
			return err
		},
	}
	flags := command.Flags()
	flags.IntVar(&answer.ListenPort, "listen-port", 8089, "port to listen on")
	flags.StringVar(&answer.Domain, "domain", "", "domain whose challenge this is")
	flags.StringVar(&answer.Token, "token", "", "token of the challenge")
	flags.StringVar(&answer.Key, "key", "", "answer to the challenge")
	return command
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	config "github.com/cert-manager/cert-manager/internal/apis/config/controller"
	configscheme "github.com/cert-manager/cert-manager/internal/apis/config/controller/scheme"
	defaults "github.com/cert-manager/cert-manager/internal/apis/config/controller/v1alpha1"
	"github.com/cert-manager/cert-manager/internal/apis/config/controller/validation"
	configv1alpha1 "github.com/cert-manager/cert-manager/pkg/apis/config/controller/v1alpha1"
	"github.com/cert-manager/cert-manager/pkg/controller"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmechallenges"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmeorders"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	controllerconfigfile "github.com/cert-manager/cert-manager/pkg/controller/configfile"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	"github.com/cert-manager/cert-manager/pkg/healthz"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/server"
	"github.com/cert-manager/cert-manager/pkg/util/configfile"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// newController issues and renews certificates.
func newController() *cobra.Command {
	options, file, err := &config.ControllerConfiguration{}, "", error(nil)
	command := &cobra.Command{
		RunE: func(command *cobra.Command, args []string) error {
			if err != nil {
				return err
			}
			if err := load(command, file, options); err != nil {
				return err
			}
			if found := validation.ValidateControllerConfiguration(options, nil); len(found) > 0 {
				return found.ToAggregate()
			}
			if err := logf.ValidateAndApply(&options.Logging); err != nil {
				return err
			}
			return control(command.Context(), options)
		},
	}
	err = complete(options)
	addFlags(command.Flags(), options)
	command.Flags().StringVar(&file, "config", "", "file with a ControllerConfiguration")
	return command
}

// complete fills in cert-manager's own defaults.
func complete(options *config.ControllerConfiguration) error {
	scheme, _, err := configscheme.NewSchemeAndCodecs()
	if err != nil {
		return err
	}
	versioned := &configv1alpha1.ControllerConfiguration{}
	scheme.Default(versioned)
	return scheme.Convert(versioned, options, nil)
}

func addFlags(flags *pflag.FlagSet, options *config.ControllerConfiguration) {
	flags.StringVar(&options.ClusterResourceNamespace, "cluster-resource-namespace", options.ClusterResourceNamespace, "")
	flags.StringVar(&options.LeaderElectionConfig.Namespace, "leader-election-namespace", options.LeaderElectionConfig.Namespace, "")
	flags.StringVar(&options.ACMEHTTP01Config.SolverImage, "acme-http01-solver-image", options.ACMEHTTP01Config.SolverImage, "")
	flags.IntVar(&options.MaxConcurrentChallenges, "max-concurrent-challenges", options.MaxConcurrentChallenges, "")
	logf.AddFlags(&options.Logging, flags)
}

// load reads the config file; what the command line says stays.
func load(command *cobra.Command, file string, options *config.ControllerConfiguration) error {
	if file == "" {
		return nil
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	loader, err := configfile.NewConfigurationFSLoader(nil, absolute)
	if err != nil {
		return err
	}
	read := controllerconfigfile.New()
	if err := loader.Load(read); err != nil {
		return err
	}
	read.Config.DeepCopyInto(options)
	return command.ParseFlags(os.Args[1:])
}

func control(root context.Context, options *config.ControllerConfiguration) error {
	group, root := errgroup.WithContext(root)
	factory, err := contextFactory(root, options)
	if err != nil {
		return err
	}
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	if err := serveMetrics(root, group, options, shared); err != nil {
		return err
	}
	health := healthz.NewServer(options.LeaderElectionConfig.HealthzTimeout)
	listener, err := server.Listen(root, "tcp", options.HealthzListenAddress)
	if err != nil {
		return err
	}
	group.Go(func() error { return health.Start(root, listener) })

	elected := make(chan struct{})
	group.Go(func() error { return elect(root, options, factory, health, elected) })
	select {
	case <-root.Done():
		return group.Wait()
	case <-elected:
	}
	for name, create := range controller.Known() {
		if !enabled(name, options) {
			continue
		}
		one, err := create(factory)
		if err != nil {
			return fmt.Errorf("starting %s: %w", name, err)
		}
		group.Go(func() error { return one.Run(options.NumberOfConcurrentWorkers, root) })
	}
	shared.SharedInformerFactory.Start(root.Done())
	shared.KubeSharedInformerFactory.Start(root.Done())
	shared.HTTP01ResourceMetadataInformersFactory.Start(root.Done())
	if options.EnableGatewayAPI {
		shared.GWShared.Start(root.Done())
	}
	return group.Wait()
}

func enabled(name string, options *config.ControllerConfiguration) bool {
	for _, one := range defaults.DefaultEnabledControllers {
		if one == name {
			return true
		}
	}
	return false
}

func serveMetrics(
	root context.Context,
	group *errgroup.Group,
	options *config.ControllerConfiguration,
	shared *controller.Context,
) error {
	listener, err := server.Listen(root, "tcp", options.MetricsListenAddress)
	if err != nil {
		return err
	}
	informers := shared.SharedInformerFactory
	shared.Metrics.SetupACMECollector(informers.Acme().V1().Challenges().Lister())
	shared.Metrics.SetupCertificateCollector(informers.Certmanager().V1().Certificates().Lister())
	metrics := shared.Metrics.NewServer(listener)
	group.Go(func() error {
		<-root.Done()
		ending, cancel := context.WithTimeout(context.WithoutCancel(root), 5*time.Second)
		defer cancel()
		return metrics.Shutdown(ending)
	})
	group.Go(func() error {
		if err := metrics.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return nil
}

// elect closes the channel once this process leads, and ends when it does no more.
func elect(
	root context.Context,
	options *config.ControllerConfiguration,
	factory *controller.ContextFactory,
	health *healthz.Server,
	elected chan<- struct{},
) error {
	election, err := factory.Build("leader-election")
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	lock, err := resourcelock.New(
		resourcelock.LeasesResourceLock,
		options.LeaderElectionConfig.Namespace,
		"cert-manager-controller",
		election.Client.CoreV1(),
		election.Client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: host, EventRecorder: election.Recorder},
	)
	if err != nil {
		return err
	}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   options.LeaderElectionConfig.LeaseDuration,
		RenewDeadline:   options.LeaderElectionConfig.RenewDeadline,
		RetryPeriod:     options.LeaderElectionConfig.RetryPeriod,
		ReleaseOnCancel: true,
		WatchDog:        health.LeaderHealthzAdaptor,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { close(elected) },
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return err
	}
	elector.Run(root)
	if root.Err() != nil {
		return nil
	}
	return errors.New("leader election lost")
}

func contextFactory(root context.Context, options *config.ControllerConfiguration) (*controller.ContextFactory, error) {
	http01 := options.ACMEHTTP01Config
	quantities := [4]resource.Quantity{}
	for index, text := range []string{
		http01.SolverResourceRequestCPU, http01.SolverResourceRequestMemory,
		http01.SolverResourceLimitsCPU, http01.SolverResourceLimitsMemory,
	} {
		quantity, err := resource.ParseQuantity(text)
		if err != nil {
			return nil, err
		}
		quantities[index] = quantity
	}
	return controller.NewContextFactory(root, controller.ContextOptions{
		KubernetesAPIQPS:   options.KubernetesAPIQPS,
		KubernetesAPIBurst: options.KubernetesAPIBurst,
		Namespace:          options.Namespace,
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverResourceRequestCPU:    quantities[0],
			HTTP01SolverResourceRequestMemory: quantities[1],
			HTTP01SolverResourceLimitsCPU:     quantities[2],
			HTTP01SolverResourceLimitsMemory:  quantities[3],
			ACMEHTTP01SolverRunAsNonRoot:      http01.SolverRunAsNonRoot,
			HTTP01SolverImage:                 http01.SolverImage,
			HTTP01SolverNameservers:           http01.SolverNameservers,
			DNS01Nameservers:                  options.ACMEDNS01Config.RecursiveNameservers,
			DNS01CheckRetryPeriod:             options.ACMEDNS01Config.CheckRetryPeriod,
			DNS01CheckAuthoritative:           !options.ACMEDNS01Config.RecursiveNameserversOnly,
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: options.MaxConcurrentChallenges},
		IssuerOptions: controller.IssuerOptions{
			ClusterIssuerAmbientCredentials: options.ClusterIssuerAmbientCredentials,
			IssuerAmbientCredentials:        options.IssuerAmbientCredentials,
			ClusterResourceNamespace:        options.ClusterResourceNamespace,
		},
		CertificateOptions: controller.CertificateOptions{
			EnableOwnerRef:           options.EnableCertificateOwnerRef,
			CopiedAnnotationPrefixes: options.CopiedAnnotationPrefixes,
		},
		ConfigOptions: controller.ConfigOptions{EnableGatewayAPI: options.EnableGatewayAPI},
	})
}

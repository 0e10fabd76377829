// Command pulumi-language-python runs Python programs, policy packs and plugins for the Pulumi
// engine. No Go module publishes the official host at the engine's version, so machines that cannot
// download the official release build this one instead. It speaks the engine's LanguageRuntime
// protocol and leaves everything about Python environments to Pulumi's own `python/toolchain`.
//
// It runs what an existing virtual environment holds. It creates no environment, generates no code
// and starts no debugger; each of these requests is refused with the reason.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// executorName is the script that runs a program inside the Pulumi runtime. It ships with the SDK's
// Go module and lies beside this binary.
const executorName = "pulumi-language-python-exec"

// engineCheckInterval is how often the host asks whether its engine still lives.
const engineCheckInterval = time.Minute

func main() {
	tracing := flag.String("tracing", "", "endpoint that receives traces")
	flag.Parse() // with the log flags that the engine passes, which the logging package declares
	logging.InitLogging(false, 0, false)
	cmdutil.InitTracing("pulumi-language-python", "pulumi-language-python", *tracing)

	if err := serve(flag.Arg(0), *tracing); err != nil {
		cmdutil.Exit(err)
	}
}

// serve answers the engine at engineAddress (host:port) until that engine is gone or the host is
// told to stop. The first line on stdout is the port, as the plugin protocol wants it.
func serve(engineAddress, tracing string) error {
	executor, err := findExecutor()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if engineAddress != "" {
		if err := rpcutil.Healthcheck(ctx, engineAddress, engineCheckInterval, stop); err != nil {
			return fmt.Errorf("watching the engine at %s: %w", engineAddress, err)
		}
	}

	host := newHost(executor, engineAddress, tracing)
	finished := make(chan bool)
	go func() {
		<-ctx.Done()
		host.programs.stop()
		close(finished)
	}()
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: finished,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, host)
			return nil
		},
		Options: rpcutil.TracingServerInterceptorOptions(nil),
	})
	if err != nil {
		return fmt.Errorf("starting the Python language host: %w", err)
	}
	fmt.Println(handle.Port)
	if err := <-handle.Done; err != nil {
		return fmt.Errorf("serving the Python language host: %w", err)
	}
	return nil
}

// findExecutor looks beside this binary first and on PATH second.
func findExecutor() (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), executorName)
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	path, err := exec.LookPath(executorName)
	if err != nil {
		return "", fmt.Errorf("%s is neither beside pulumi-language-python nor on PATH: %w", executorName, err)
	}
	return path, nil
}

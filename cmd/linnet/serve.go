package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/linnet-im/linnet/internal/app"
	"github.com/linnet-im/linnet/internal/config"
)

func runServe(ctx context.Context, args []string, out io.Writer) error {
	cfg, err := config.Load(args, os.Getenv, out)
	if err != nil {
		return err
	}
	if err := config.RaiseOpenFiles(cfg.MaxConnections); err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		// The live heap is small and what is allocated dies young: collecting at twice the
		// heap would run many times a second.
		debug.SetGCPercent(400)
	}
	return app.Run(ctx, cfg, logger(cfg), out)
}

// logger logs to standard error: standard output is for the operator to read.
func logger(cfg config.Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // the setting was checked
	options := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

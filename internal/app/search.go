package app

import (
	"context"
	"log/slog"
	"path/filepath"

	"github.com/linnet-im/linnet/internal/config"
	"github.com/linnet-im/linnet/internal/search/fts"
)

// openIndex opens the search index, nil when search is off. Without one that works the
// server does all but search.
func openIndex(ctx context.Context, cfg *config.Config, log *slog.Logger) *fts.Index {
	if !cfg.Search {
		return nil
	}
	index, err := fts.Open(ctx, filepath.Join(cfg.Data, "search.db"))
	if err != nil {
		log.Error("search is off, since its index cannot be opened or made", slog.Any("error", err))
		return nil
	}
	return index
}

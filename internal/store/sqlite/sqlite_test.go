package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/sqlite"
	"github.com/linnet-im/linnet/internal/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(tb testing.TB) chat.Store {
		s, err := sqlite.Open(context.Background(), sqlite.Config{Path: filepath.Join(tb.TempDir(), "文 件?#.db")})
		if err != nil {
			tb.Fatal(err)
		}
		return s
	})
}

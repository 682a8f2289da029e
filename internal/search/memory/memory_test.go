package memory_test

import (
	"testing"

	"github.com/linnet-im/linnet/internal/search"
	"github.com/linnet-im/linnet/internal/search/indextest"
	"github.com/linnet-im/linnet/internal/search/memory"
)

func TestIndex(t *testing.T) {
	indextest.Run(t, func(testing.TB) search.Index { return memory.New() })
}

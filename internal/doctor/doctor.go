// Package doctor looks at a server's data folder and says what is wrong with it: the
// promises of the log, as they stand on disk, and what the server needs of its machine.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/linnet-im/linnet/internal/config"
	"github.com/linnet-im/linnet/internal/store/sqlite"
)

// littleSpace is how much free space a disk is to have, in bytes.
const littleSpace = 1 << 30

// Look looks at a data folder, whether or not its server runs. An error means that it
// could not look.
func Look(ctx context.Context, data string) ([]sqlite.Finding, error) {
	database := filepath.Join(data, "linnet.db")
	if _, err := os.Stat(database); err != nil {
		return nil, fmt.Errorf("%s is no server's folder: %w", data, err)
	}
	findings, err := sqlite.Check(ctx, database)
	if err != nil {
		return nil, err
	}
	return append(findings, secret(data), space(data), files()), nil
}

func secret(data string) sqlite.Finding {
	f := sqlite.Finding{Check: "secret", Saw: "its owner's alone"}
	if os.Getenv("LINNET_SECRET") != "" {
		f.Saw = "LINNET_SECRET stands for it"
		return f
	}
	if _, err := config.ReadSecret(data); err != nil {
		f.Wrong = []string{err.Error()}
	}
	return f
}

func space(data string) sqlite.Finding {
	f := sqlite.Finding{Check: "space"}
	free, err := config.FreeSpace(data)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		f.Saw = "not known on this system"
	case err != nil:
		f.Wrong = []string{err.Error()}
	case free < littleSpace:
		f.Wrong = []string{fmt.Sprintf("%d MB are free; with none sends are refused, and a backup needs twice the database", free>>20)}
	default:
		f.Saw = fmt.Sprintf("%d MB free", free>>20)
	}
	return f
}

func files() sqlite.Finding {
	f := sqlite.Finding{Check: "files"}
	limit, err := config.OpenFiles()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		f.Saw = "not limited on this system"
	case err != nil:
		f.Wrong = []string{err.Error()}
	default:
		f.Saw = fmt.Sprintf("%d may be open, for a server started from here", limit)
	}
	return f
}

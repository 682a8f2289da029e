package cutfs

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Mount shows the disk at dir until unmount is called. It needs root and /dev/fuse.
// The process that serves the mount must not use it: a page fault on a mapped file
// would stop the very threads that are to answer it.
func Mount(dir string, d *Disk) (unmount func() error, err error) {
	server, err := fs.Mount(dir, &folder{disk: d}, &fs.Options{MountOptions: fuse.MountOptions{
		DirectMountStrict: true, DisableXAttrs: true, FsName: "cutfs", Name: "cutfs",
	}})
	if err != nil {
		return nil, fmt.Errorf("mount %s: %w", dir, err)
	}
	return func() error {
		err := server.Unmount()
		if errors.Is(err, syscall.EBUSY) {
			err = syscall.Unmount(dir, syscall.MNT_DETACH)
		}
		server.Wait()
		return err
	}, nil
}

// folder is the root of the mount.
type folder struct {
	fs.Inode
	disk *Disk
}

var (
	_ fs.NodeOnAdder  = (*folder)(nil)
	_ fs.NodeCreater  = (*folder)(nil)
	_ fs.NodeUnlinker = (*folder)(nil)
	_ fs.NodeRenamer  = (*folder)(nil)
	_ fs.NodeFsyncer  = (*folder)(nil)
)

func (n *folder) node(ctx context.Context, f *file) *fs.Inode {
	return n.NewPersistentInode(ctx, &node{disk: n.disk, file: f}, fs.StableAttr{Mode: fuse.S_IFREG})
}

func (n *folder) OnAdd(ctx context.Context) {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	for name, f := range n.disk.names {
		n.AddChild(name, n.node(ctx, f), false)
	}
}

func (n *folder) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	f := &file{}
	if err := n.disk.rename(func(to names) { to[name] = f }); err != 0 {
		return nil, nil, 0, err
	}
	out.Mode = fuse.S_IFREG | 0o600
	return n.node(ctx, f), nil, fuse.FOPEN_KEEP_CACHE, 0
}

func (n *folder) Unlink(_ context.Context, name string) syscall.Errno {
	return n.disk.rename(func(to names) { delete(to, name) })
}

func (n *folder) Rename(_ context.Context, name string, parent fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	if flags != 0 || parent.EmbeddedInode() != n.EmbeddedInode() {
		return syscall.EINVAL
	}
	return n.disk.rename(func(to names) {
		to[newName] = to[name]
		delete(to, name)
	})
}

func (n *folder) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno { return n.disk.sync(nil) }

// node is a file of the mount.
type node struct {
	fs.Inode
	disk *Disk
	file *file
}

var (
	_ fs.NodeOpener    = (*node)(nil)
	_ fs.NodeGetattrer = (*node)(nil)
	_ fs.NodeSetattrer = (*node)(nil)
	_ fs.NodeReader    = (*node)(nil)
	_ fs.NodeWriter    = (*node)(nil)
	_ fs.NodeFsyncer   = (*node)(nil)
)

// Open keeps the page cache: SQLite's shared memory is mapped, and lives there.
func (n *node) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	_, err := n.disk.size(n.file)
	return nil, fuse.FOPEN_KEEP_CACHE, err
}

func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	size, err := n.disk.size(n.file)
	out.Mode, out.Size = fuse.S_IFREG|0o600, uint64(size)
	return err
}

func (n *node) Setattr(ctx context.Context, h fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok {
		if err := n.disk.change(n.file, change{off: int64(size)}); err != 0 {
			return err
		}
	}
	return n.Getattr(ctx, h, out)
}

func (n *node) Read(_ context.Context, _ fs.FileHandle, into []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	size, err := n.disk.read(n.file, into, off)
	return fuse.ReadResultData(into[:size]), err
}

func (n *node) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	// The buffer belongs to the caller.
	if err := n.disk.change(n.file, change{off, append([]byte(nil), data...)}); err != 0 {
		return 0, err
	}
	return uint32(len(data)), 0
}

func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return n.disk.sync(n.file)
}

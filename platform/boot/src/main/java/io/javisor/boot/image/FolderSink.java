package io.javisor.boot.image;

import io.javisor.boot.image.RootTree.Attributes;
import io.javisor.boot.image.RootTree.Item;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * An image as a folder of the host, for one user without privileges: owners and set-ID bits are dropped, and its owner can
 * always read it and remove it. Symbolic links are made last, when no more files follow, so that none is ever written through.
 */
final class FolderSink implements Sink {
    private final Path root;
    private final List<Runnable> links = new ArrayList<>();

    FolderSink(Path root) {
        this.root = root;
    }

    @Override
    public void folder(String path, Attributes attributes) throws IOException {
        Path folder = resolve(path);
        Files.createDirectories(folder);
        Files.setPosixFilePermissions(folder, permissions(attributes.mode() | 0700));
    }

    @Override
    public void file(List<String> paths, Attributes attributes, long size, InputStream content) throws IOException {
        Path file = resolve(paths.getFirst());
        byte[] buffer = new byte[1 << 16];
        try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            long left = size;
            while (left > 0) {
                int count = content.read(buffer, 0, (int) Math.min(buffer.length, left));
                if (count < 0) {
                    throw new ImageException(
                            "image-io",
                            ImageException.printable(file.toString()) + " ended " + left + " bytes early",
                            null);
                }
                out.write(buffer, 0, count);
                left -= count;
            }
        }
        Files.setPosixFilePermissions(file, permissions(attributes.mode() | 0400));
        for (String other : paths.subList(1, paths.size())) {
            Files.createLink(resolve(other), file);
        }
    }

    @Override
    public void special(List<String> paths, Attributes attributes, Item item) {
        if (!(item instanceof Item.Symlink link)) {
            throw new ImageException(
                    "image-path",
                    "\"" + ImageException.printable(paths.getFirst())
                            + "\" is a device node or FIFO, which a folder cannot hold",
                    "write an initramfs instead");
        }
        for (String path : paths) {
            links.add(() -> {
                try {
                    Files.createSymbolicLink(resolve(path), Path.of(link.target()));
                } catch (IOException e) {
                    throw ImageException.io("cannot make the link " + ImageException.printable(path), e);
                }
            });
        }
    }

    @Override
    public void finish() {
        links.forEach(Runnable::run);
        links.clear();
    }

    private Path resolve(String path) {
        return path.isEmpty() ? root : root.resolve(path);
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        Set<PosixFilePermission> set = EnumSet.noneOf(PosixFilePermission.class);
        PosixFilePermission[] all = PosixFilePermission.values(); // OWNER_READ first, OTHERS_EXECUTE last
        for (int i = 0; i < all.length; i++) {
            if ((mode & 0400 >> i) != 0) {
                set.add(all[i]);
            }
        }
        return set;
    }
}

package io.javisor.boot.debian;

import io.javisor.boot.image.Initramfs;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The cache on disk, shared by processes:
 *
 * <pre>
 * names/NAME    what a name stands for: the name of a tree, and texts about it, one a line
 * trees/TREE/   an unpacked root, whole since it appeared
 * work/         where trees are made, under the lock; emptied by the next that takes it
 * lock          held while something is made
 * </pre>
 */
final class PackageCache {
    private final Path root;

    PackageCache(Path root) {
        this.root = root;
    }

    Path tree(String tree) {
        return root.resolve("trees").resolve(tree);
    }

    /** What a name stands for, if its tree is there; null if it is not known yet. */
    @Nullable
    List<String> lookUp(String name) {
        Path file = root.resolve("names").resolve(name);
        try {
            List<String> lines = Files.isRegularFile(file) ? Files.readAllLines(file) : List.of();
            return !lines.isEmpty() && Files.isDirectory(tree(lines.getFirst())) ? lines : null;
        } catch (IOException e) {
            throw failed("cannot read " + file, e);
        }
    }

    /** Remembers what a name stands for. Only under the lock. */
    void remember(String name, List<String> lines) {
        Path names = root.resolve("names");
        try {
            Files.createDirectories(names);
            Path part = Files.createTempFile(work(), "name", ".part");
            Files.write(part, lines);
            Files.move(part, names.resolve(name), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw failed("cannot write below " + names, e);
        }
    }

    void forgetNames() {
        locked(() -> {
            try {
                deleteTree(root.resolve("names"));
            } catch (IOException e) {
                throw failed("cannot remove " + root.resolve("names"), e);
            }
            return "";
        });
    }

    /** Makes a tree of these packages unless it is there. Only under the lock. */
    void make(String tree, List<Apt.Candidate> packages, Apt apt, java.util.function.Consumer<String> progress) {
        if (Files.isDirectory(tree(tree))) {
            return;
        }
        try {
            Path debs = Files.createDirectories(work().resolve("debs"));
            progress.accept("fetching " + names(packages));
            apt.download(packages, debs);
            List<Path> files;
            try (var list = Files.list(debs)) {
                files = list.filter(f -> f.toString().endsWith(".deb")).sorted().toList();
            }
            if (files.size() != packages.size()) {
                throw new DebianException(
                        "debian-fetch",
                        "apt-get download brought " + files.size() + " files for " + names(packages),
                        null,
                        null);
            }
            progress.accept("unpacking " + names(packages));
            Path made = work().resolve("tree");
            Initramfs.of(spec -> {
                        spec.limit(DebFile.MAX_DATA);
                        for (Path deb : files) {
                            Path tar = deb.resolveSibling(deb.getFileName() + ".tar");
                            DebFile.extractData(deb, tar);
                            spec.archive("", deb.getFileName().toString(), () -> Files.newInputStream(tar));
                        }
                    })
                    .unpackTo(made);
            ModuleIndex.whereKmodIs(made);
            Files.createDirectories(root.resolve("trees"));
            Files.move(made, tree(tree), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw failed("cannot unpack " + names(packages) + " below " + root, e);
        }
    }

    /** Runs under the lock, alone among all processes and threads that share this folder. */
    <T> T locked(Supplier<T> action) {
        try {
            Files.createDirectories(root);
            try (FileChannel channel =
                    FileChannel.open(root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                lock(channel); // until the channel closes
                deleteTree(root.resolve("work")); // left by one that died
                Files.createDirectories(root.resolve("work"));
                T result = action.get();
                deleteTree(root.resolve("work"));
                return result;
            }
        } catch (ClosedByInterruptException | FileLockInterruptionException e) {
            Thread.currentThread().interrupt();
            throw failed("interrupted while waiting for another process that fills " + root, e);
        } catch (IOException e) {
            throw failed("cannot use the cache folder " + root, e);
        }
    }

    private static void lock(FileChannel channel) throws IOException {
        for (; ; ) {
            try {
                FileLock lock = channel.lock();
                if (lock.isValid()) {
                    return;
                }
            } catch (OverlappingFileLockException e) { // another thread of this process
                try {
                    Thread.sleep(20);
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                    throw new FileLockInterruptionException();
                }
            }
        }
    }

    private Path work() {
        return root.resolve("work");
    }

    private static String names(List<Apt.Candidate> packages) {
        return String.join(", ", packages.stream().map(Apt.Candidate::name).toList());
    }

    private static void deleteTree(Path folder) throws IOException {
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e) throws IOException {
                if (e != null) {
                    throw e;
                }
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    static DebianException failed(String what, IOException e) {
        return new DebianException(
                "debian-cache", what + ": " + e, "choose a folder that can be written with JAVISOR_CACHE", e);
    }
}

package io.javisor.boot.image;

import io.javisor.boot.image.RootTree.Attributes;
import io.javisor.boot.image.RootTree.Item;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The writing of one image: lays out all names, then streams all contents. Everything but the contents of archives is written in
 * order of names; those follow in the order in which their archives hold them. For one thread.
 */
final class Assembly {
    /** Names in one image; each costs about 200 bytes of heap. */
    private static final int MAX_NAMES = 1_000_000;

    private static final String WHITEOUT = ".wh."; // OCI image specification, layer.md, "Whiteouts"
    private static final String OPAQUE = ".wh..wh..opq"; // the same, "Opaque Whiteout"

    private final RootTree tree = new RootTree();
    private final List<Part.Archive> archives = new ArrayList<>();
    private final long limit;
    private long bytes;
    private int names;
    private int layer;

    Assembly(List<Part> parts, long limit) {
        this.limit = limit;
        for (Part part : parts) {
            layer++;
            switch (part) {
                case Part.Folder folder -> {
                    count(folder.path(), 0);
                    tree.folder(folder.path(), folder.attributes(), layer);
                }
                case Part.Leaf leaf -> leaf(leaf.path(), leaf.attributes(), leaf.item());
                case Part.HostFile file -> hostFile(file.path(), file.file(), file.mode());
                case Part.HostFolder folder -> hostFolder(folder);
                case Part.Archive archive -> archive(archive);
            }
        }
    }

    void writeTo(Sink sink) throws IOException {
        Map<RootTree.Leaf, List<String>> leaves = new HashMap<>();
        List<RootTree.Leaf> order = new ArrayList<>();
        List<Map<Integer, RootTree.Leaf>> archived = new ArrayList<>();
        archives.forEach(a -> archived.add(new TreeMap<>()));
        List<Map.Entry<String, Attributes>> folders = new ArrayList<>();
        tree.walk(new RootTree.Visitor() {
            @Override
            public void folder(String path, Attributes attributes) {
                folders.add(Map.entry(path, attributes));
            }

            @Override
            public void leaf(String path, RootTree.Leaf leaf) {
                leaves.computeIfAbsent(leaf, l -> {
                            if (l.item instanceof Item.Regular(Content.Archived a)) {
                                archived.get(a.archive()).put(a.ordinal(), l);
                            } else {
                                order.add(l);
                            }
                            return new ArrayList<>(1);
                        })
                        .add(path);
            }
        });
        for (Map.Entry<String, Attributes> folder : folders) {
            sink.folder(folder.getKey(), folder.getValue());
        }
        for (RootTree.Leaf leaf : order) {
            List<String> paths = leaves.getOrDefault(leaf, List.of());
            if (leaf.item instanceof Item.Regular regular) {
                try (InputStream in = Content.open(regular.content())) {
                    sink.file(paths, leaf.attributes, regular.content().size(), in);
                }
            } else {
                sink.special(paths, leaf.attributes, leaf.item);
            }
        }
        for (int i = 0; i < archives.size(); i++) {
            stream(archives.get(i), archived.get(i), leaves, sink);
        }
        sink.finish();
    }

    private static void stream(
            Part.Archive archive,
            Map<Integer, RootTree.Leaf> wanted,
            Map<RootTree.Leaf, List<String>> leaves,
            Sink sink)
            throws IOException {
        int left = wanted.size();
        if (left == 0) {
            return;
        }
        try (TarReader tar = new TarReader(archive.name(), archive.source())) {
            int ordinal = 0;
            for (TarReader.Entry entry = tar.next(); left > 0; entry = tar.next(), ordinal++) {
                RootTree.Leaf leaf = wanted.get(ordinal);
                if (entry == null) {
                    throw changed(archive);
                }
                if (leaf == null) {
                    continue;
                }
                if (!(leaf.item instanceof Item.Regular regular)
                        || regular.content().size() != entry.size()
                        || !isFile(entry)) {
                    throw changed(archive);
                }
                sink.file(leaves.getOrDefault(leaf, List.of()), leaf.attributes, entry.size(), new Contents(tar));
                left--;
            }
        }
    }

    private static boolean isFile(TarReader.Entry entry) {
        return !entry.folder() && entry.item() == null && entry.hardLink() == null;
    }

    private static ImageException changed(Part.Archive archive) {
        return ImageException.archive(archive.name(), "the archive changed while it was read");
    }

    private void archive(Part.Archive archive) {
        int index = archives.size();
        archives.add(archive);
        String prefix = archive.path().isEmpty() ? "" : archive.path() + "/";
        try (TarReader tar = new TarReader(archive.name(), archive.source())) {
            int ordinal = 0;
            for (TarReader.Entry entry = tar.next(); entry != null; entry = tar.next(), ordinal++) {
                count(archive.name(), entry.size());
                String path = prefix + entry.path();
                if (archive.layer() && whiteout(path)) {
                    continue;
                }
                String target = entry.hardLink();
                if (entry.folder()) {
                    folder(path, entry.attributes(), archive.layer());
                } else if (target != null) {
                    tree.hardLink(path, prefix + target, layer);
                } else {
                    Item item = entry.item();
                    Item actual =
                            item == null ? new Item.Regular(new Content.Archived(index, ordinal, entry.size())) : item;
                    tree.leaf(path, new RootTree.Leaf(entry.attributes(), actual), layer);
                }
            }
        }
    }

    /** An archive made for a tree where a folder is a link (/lib to /usr/lib) keeps the link; a layer replaces it. */
    private void folder(String path, Attributes attributes, boolean replaceLinks) {
        if (replaceLinks || !tree.isFolderByLink(path)) {
            tree.folder(path, attributes, layer);
        }
    }

    private boolean whiteout(String path) {
        int slash = path.lastIndexOf('/');
        String name = path.substring(slash + 1);
        String parent = slash < 0 ? "" : path.substring(0, slash);
        if (!name.startsWith(WHITEOUT)) {
            return false;
        }
        if (name.equals(OPAQUE)) {
            tree.opaque(parent, layer);
        } else if (!name.startsWith(WHITEOUT + WHITEOUT)) { // other doubled prefixes are aufs's own notes
            String hidden = name.substring(WHITEOUT.length());
            if (hidden.isEmpty() || hidden.equals(".") || hidden.equals("..")) {
                throw ImageException.path(path, "a whiteout that names nothing");
            }
            tree.whiteout(parent.isEmpty() ? hidden : parent + "/" + hidden, layer);
        }
        return true;
    }

    private void hostFolder(Part.HostFolder part) {
        Path root = part.folder();
        String prefix = part.path().isEmpty() ? "" : part.path() + "/";
        try {
            List<Path> found = new ArrayList<>();
            Files.walkFileTree(root, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                    return add(folder);
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    return add(file);
                }

                private FileVisitResult add(Path path) {
                    if (found.size() >= MAX_NAMES) {
                        throw tooMany(root.toString());
                    }
                    found.add(path);
                    return FileVisitResult.CONTINUE;
                }
            });
            Collections.sort(found);
            for (Path path : found) {
                String relative = root.relativize(path).toString();
                String target = relative.isEmpty() ? part.path() : prefix + relative;
                if (Files.isSymbolicLink(path)) {
                    leaf(
                            target,
                            link(),
                            new Item.Symlink(Files.readSymbolicLink(path).toString()));
                } else if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                    count(target, 0);
                    tree.folder(target, new Attributes(mode(path), 0, 0, 0), layer);
                } else {
                    hostFile(target, path, -1);
                }
            }
        } catch (IOException e) {
            throw ImageException.io("cannot read the folder " + root, e);
        }
    }

    private void hostFile(String path, Path file, int mode) {
        try {
            if (!Files.isRegularFile(file)) {
                throw new ImageException(
                        "image-missing",
                        file + (Files.exists(file) ? " is not a regular file" : " does not exist")
                                + "; it was to become /" + path,
                        "name a regular file");
            }
            Attributes attributes = new Attributes(mode < 0 ? mode(file) : mode, 0, 0, 0);
            leaf(path, attributes, new Item.Regular(new Content.HostFile(file, Files.size(file))));
        } catch (IOException e) {
            throw ImageException.io("cannot read " + file, e);
        }
    }

    private void leaf(String path, Attributes attributes, Item item) {
        count(path, item instanceof Item.Regular regular ? regular.content().size() : 0);
        tree.leaf(path, new RootTree.Leaf(attributes, item), layer);
    }

    private void count(String what, long size) {
        bytes += size;
        if (bytes < 0 || bytes > limit) {
            throw new ImageException(
                    "image-limit",
                    "the image grows beyond its limit of " + limit + " bytes at " + ImageException.printable(what),
                    "raise the limit, if the input can be trusted");
        }
        if (++names > MAX_NAMES) {
            throw tooMany(what);
        }
    }

    private static ImageException tooMany(String what) {
        return new ImageException(
                "image-limit",
                "more than " + MAX_NAMES + " files and folders, at " + ImageException.printable(what),
                "put them on a disk");
    }

    private static Attributes link() {
        return new Attributes(0777, 0, 0, 0);
    }

    private static int mode(Path path) throws IOException {
        return (Integer) Files.getAttribute(path, "unix:mode") & 07777;
    }

    /** Contents of an archive's current entry, whose failures are told as the archive's. */
    private static final class Contents extends InputStream {
        private final TarReader tar;

        Contents(TarReader tar) {
            this.tar = tar;
        }

        @Override
        public int read() {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) {
            try {
                return tar.content().read(buffer, offset, length);
            } catch (IOException | RuntimeException e) {
                throw tar.failure(e);
            }
        }
    }
}

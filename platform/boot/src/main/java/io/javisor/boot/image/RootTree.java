package io.javisor.boot.image;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The names of an image before any contents are written: folders, leaves, and which layer put them there. Paths are resolved
 * as the guest would resolve them, inside this root: a link in the middle of a path is followed, an absolute target starts at this
 * root, and {@code ..} stops at it, so nothing here can reach the host's files. For one thread.
 */
final class RootTree {
    /** PATH_MAX of Linux (include/uapi/linux/limits.h) with its closing NUL; the kernel's cpio reader refuses longer names. */
    static final int MAX_PATH = 4096;

    private static final int MAX_NAME = 255; // NAME_MAX, include/uapi/linux/limits.h
    private static final int MAX_LINKS = 40; // MAXSYMLINKS, include/linux/namei.h

    private final Folder root = new Folder(null, "", Attributes.FOLDER, false);

    /** Permission bits (0..07777), owner, group, and seconds since 1970. */
    record Attributes(int mode, long uid, long gid, long modified) {
        static final Attributes FOLDER = new Attributes(0755, 0, 0, 0);
    }

    sealed interface Node permits Folder, Leaf {}

    /** A folder; {@code explicit} once something gave its attributes. */
    static final class Folder implements Node {
        final @Nullable Folder parent;
        final Map<String, Slot> children = new TreeMap<>();
        final int pathLength;
        Attributes attributes;
        boolean explicit;

        Folder(@Nullable Folder parent, String name, Attributes attributes, boolean explicit) {
            this.parent = parent;
            this.attributes = attributes;
            this.explicit = explicit;
            this.pathLength = parent == null ? 0 : parent.pathLength + utf8Length(name) + 1;
            if (pathLength >= MAX_PATH) {
                throw ImageException.path(
                        name, "the path to it is " + pathLength + " bytes long, of at most " + (MAX_PATH - 1));
            }
        }
    }

    /** Anything that is not a folder. One leaf under several names is a file with hard links. */
    static final class Leaf implements Node {
        final Attributes attributes;
        final Item item;

        Leaf(Attributes attributes, Item item) {
            this.attributes = attributes;
            this.item = item;
        }
    }

    /** What a leaf is. */
    sealed interface Item {
        record Regular(Content content) implements Item {}

        record Symlink(String target) implements Item {}

        record Device(boolean block, long major, long minor) implements Item {}

        record Fifo() implements Item {}
    }

    /** A name's node, and the layer that put it there. */
    record Slot(Node node, int layer) {}

    /** Told every name, parents before children, in order of their names. */
    interface Visitor {
        void folder(String path, Attributes attributes);

        void leaf(String path, Leaf leaf);
    }

    /** Makes a folder, or gives an existing one these attributes; replaces anything else of that name. */
    void folder(String path, Attributes attributes, int layer) {
        List<String> names = names(path);
        if (names.isEmpty()) {
            root.attributes = attributes;
            root.explicit = true;
            return;
        }
        Folder parent = parentOf(names, layer);
        String name = names.getLast();
        Slot old = parent.children.get(name);
        Folder folder = old != null && old.node instanceof Folder existing
                ? existing
                : new Folder(parent, name, attributes, true);
        folder.attributes = attributes;
        folder.explicit = true;
        parent.children.put(name, new Slot(folder, layer));
    }

    /** Puts a leaf at a path, replacing what was there, making the folders above it. */
    void leaf(String path, Leaf leaf, int layer) {
        List<String> names = names(path);
        if (names.isEmpty()) {
            throw ImageException.path(path, "the root itself can only be a folder");
        }
        Folder parent = parentOf(names, layer);
        if (parent.pathLength + utf8Length(names.getLast()) + 1 >= MAX_PATH) {
            throw ImageException.path(path, "longer than " + (MAX_PATH - 1) + " bytes");
        }
        parent.children.put(names.getLast(), new Slot(leaf, layer));
    }

    /** Gives the leaf at {@code target} another name. */
    void hardLink(String path, String target, int layer) {
        List<String> names = names(target);
        Folder folder = names.isEmpty() ? null : find(names.subList(0, names.size() - 1));
        Slot slot = folder == null ? null : folder.children.get(names.getLast());
        if (slot == null || !(slot.node instanceof Leaf leaf)) {
            throw ImageException.path(
                    path, "hard link to \"" + ImageException.printable(target) + "\", which is not a file before it");
        }
        leaf(path, leaf, layer);
    }

    /** Removes what layers below {@code layer} put at this path; nothing there is fine. */
    void whiteout(String path, int layer) {
        List<String> names = names(path);
        Folder parent = names.isEmpty() ? null : find(names.subList(0, names.size() - 1));
        if (parent == null) {
            return;
        }
        Slot slot = parent.children.get(names.getLast());
        if (slot == null) {
            return;
        }
        if (slot.node instanceof Folder folder) {
            removeBelow(folder, layer);
            if (slot.layer < layer && folder.children.isEmpty()) {
                parent.children.remove(names.getLast());
            }
        } else if (slot.layer < layer) {
            parent.children.remove(names.getLast());
        }
    }

    /** Removes all that layers below {@code layer} put into this folder; no such folder is fine. */
    void opaque(String path, int layer) {
        Folder folder = find(names(path));
        if (folder != null) {
            removeBelow(folder, layer);
        }
    }

    /** Whether this path is a symbolic link that leads to a folder. */
    boolean isFolderByLink(String path) {
        List<String> names = names(path);
        Folder parent = names.isEmpty() ? null : find(names.subList(0, names.size() - 1));
        Slot slot = parent == null ? null : parent.children.get(names.getLast());
        return slot != null
                && slot.node instanceof Leaf leaf
                && leaf.item instanceof Item.Symlink
                && find(names) != null;
    }

    void walk(Visitor visitor) {
        if (root.explicit) {
            visitor.folder("", root.attributes);
        }
        walk(root, "", visitor);
    }

    private static void walk(Folder folder, String prefix, Visitor visitor) {
        // Depth is bounded by MAX_PATH / 2, which a thread's stack holds easily.
        folder.children.forEach((name, slot) -> {
            String path = prefix.isEmpty() ? name : prefix + "/" + name;
            switch (slot.node) {
                case Folder child -> {
                    visitor.folder(path, child.attributes);
                    walk(child, path, visitor);
                }
                case Leaf leaf -> visitor.leaf(path, leaf);
            }
        });
    }

    private static void removeBelow(Folder folder, int layer) {
        folder.children.values().removeIf(slot -> {
            if (slot.node instanceof Folder child) {
                removeBelow(child, layer);
                return slot.layer < layer && child.children.isEmpty();
            }
            return slot.layer < layer;
        });
    }

    private Folder parentOf(List<String> names, int layer) {
        Folder folder = resolve(names.subList(0, names.size() - 1), true, layer);
        if (folder == null) {
            throw new IllegalStateException("made on the way: " + names);
        }
        return folder;
    }

    private @Nullable Folder find(List<String> names) {
        return resolve(names, false, 0);
    }

    /** Follows names from the root, links included; null if something is missing and {@code make} is false. */
    private @Nullable Folder resolve(List<String> names, boolean make, int layer) {
        Deque<String> rest = new ArrayDeque<>(names);
        Folder folder = root;
        int links = 0;
        while (!rest.isEmpty()) {
            String name = rest.removeFirst();
            if (name.equals("..")) { // only from a link's target
                folder = folder.parent == null ? root : folder.parent;
                continue;
            }
            Slot slot = folder.children.get(name);
            if (slot == null) {
                if (!make) {
                    return null;
                }
                Folder made = new Folder(folder, name, Attributes.FOLDER, false);
                folder.children.put(name, new Slot(made, layer));
                folder = made;
            } else if (slot.node instanceof Folder child) {
                folder = child;
            } else if (slot.node instanceof Leaf leaf && leaf.item instanceof Item.Symlink link) {
                if (++links > MAX_LINKS || rest.size() > MAX_PATH) {
                    throw ImageException.path(
                            String.join("/", names), "too many symbolic links in the path, or a loop of them");
                }
                if (link.target.startsWith("/")) {
                    folder = root;
                }
                List<String> target = split(link.target);
                for (int i = target.size() - 1; i >= 0; i--) {
                    rest.addFirst(target.get(i));
                }
            } else if (make) {
                throw ImageException.path(
                        String.join("/", names), "\"" + ImageException.printable(name) + "\" in it is a file");
            } else {
                return null;
            }
        }
        return folder;
    }

    /** Splits a path that names something in the image: relative or starting at the root, without {@code ..}. */
    private static List<String> names(String path) {
        if (utf8Length(path) >= MAX_PATH) {
            throw ImageException.path(path, "longer than " + (MAX_PATH - 1) + " bytes");
        }
        if (path.indexOf('\0') >= 0) {
            throw ImageException.path(path, "holds a NUL");
        }
        List<String> names = split(path);
        for (String name : names) {
            if (name.equals("..")) {
                throw ImageException.path(path, "leads out of the image (\"..\")");
            }
            if (utf8Length(name) > MAX_NAME) {
                throw ImageException.path(path, "a name in it is longer than " + MAX_NAME + " bytes");
            }
        }
        return names;
    }

    private static List<String> split(String path) {
        List<String> names = new ArrayList<>();
        for (String name : path.split("/", -1)) {
            if (!name.isEmpty() && !name.equals(".")) {
                names.add(name);
            }
        }
        return names;
    }

    private static int utf8Length(String text) {
        return text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
    }
}

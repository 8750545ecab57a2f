package io.javisor.boot.image;

import io.javisor.boot.image.RootTree.Attributes;
import io.javisor.boot.image.RootTree.Item;
import java.nio.file.Path;

/** One line of an image's description; later parts replace what earlier ones put at the same path. */
sealed interface Part {
    record Folder(String path, Attributes attributes) implements Part {}

    record Leaf(String path, Attributes attributes, Item item) implements Part {}

    /** A file of the host, opened when the image is written; its permissions are the host's if {@code mode} is -1. */
    record HostFile(String path, Path file, int mode) implements Part {}

    record HostFolder(String path, Path folder) implements Part {}

    /** A tar archive below {@code path}; as a layer of a container image if {@code layer}: whiteouts remove, folders replace links. */
    record Archive(String path, String name, ArchiveSource source, boolean layer) implements Part {}
}

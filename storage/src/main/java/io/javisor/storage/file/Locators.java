package io.javisor.storage.file;

import java.nio.file.Path;

/** Paths as parent locators write them. */
public final class Locators {
    private Locators() {}

    /** The parent's path from the child's folder, with backslashes. */
    public static String relative(Path child, Path parent) {
        Path folder = child.toAbsolutePath().normalize().getParent();
        Path to = parent.toAbsolutePath().normalize();
        String path = (folder == null ? to : folder.relativize(to)).toString().replace('/', '\\');
        return path.startsWith("..") ? path : ".\\" + path;
    }
}

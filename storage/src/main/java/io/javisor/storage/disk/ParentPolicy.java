package io.javisor.storage.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Which files a differencing disk may name as its parent. An image comes from somebody; without a policy it could have any
 * disk of the host read into the guest that it is for.
 */
@FunctionalInterface
public interface ParentPolicy {
    /** Most disks in a chain, so that a ring of files comes to an end. */
    int LONGEST_CHAIN = 64;

    /**
     * Decides on one file.
     *
     * @param child the differencing disk, with symbolic links resolved
     * @param parent the file that it names, with symbolic links resolved
     */
    boolean admits(Path child, Path parent);

    /** The child's own folder and those below it: the default. */
    static ParentPolicy sameFolder() {
        return (child, parent) -> {
            Path folder = child.getParent();
            return folder != null && parent.startsWith(folder);
        };
    }

    /** These folders and those below them. */
    static ParentPolicy within(Path... folders) {
        var real = new ArrayList<Path>();
        for (Path folder : folders) {
            try {
                real.add(folder.toRealPath());
            } catch (IOException e) {
                throw new DiskException(DiskException.Kind.OPEN, "no folder " + folder, null, 0, "check the path", e);
            }
        }
        List<Path> allowed = List.copyOf(real);
        return (_, parent) -> allowed.stream().anyMatch(parent::startsWith);
    }

    /** No file: differencing disks can't be opened. */
    static ParentPolicy none() {
        return (_, _) -> false;
    }
}

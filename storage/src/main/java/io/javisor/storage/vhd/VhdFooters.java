package io.javisor.storage.vhd;

import io.javisor.storage.disk.DiskFormatException;
import io.javisor.storage.file.BackingFile;
import java.util.UUID;

/** Looks at footers for those outside who need no more. */
public final class VhdFooters {
    private VhdFooters() {}

    /** The unique ID in a file's footer, by which children name their parent. */
    public static UUID id(BackingFile file) {
        return VhdFooter.read(file).footer().id();
    }

    static void checkFixed(BackingFile file, VhdFooter footer) {
        if (footer.size() > file.size() - VhdFooter.BYTES) {
            throw new DiskFormatException(
                    file.name(),
                    file.size() - VhdFooter.BYTES + 48,
                    "a fixed disk of " + footer.size() + " bytes in a file of " + file.size());
        }
    }
}

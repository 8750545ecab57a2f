package io.javisor.api;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Where a kernel that is given as a file has its modules. */
final class KernelFiles {
    /** Offset of the version text's own offset in a bzImage (Documentation/arch/x86/boot.rst, kernel_version). */
    private static final int VERSION_POINTER = 0x20E;

    private static final int MAX_VERSION = 100;

    private KernelFiles() {}

    /**
     * The module tree of a kernel: {@code ../lib/modules/RELEASE} beside its folder, as packages unpack it, or the system's own.
     * Null if there is none, or the file does not say its release.
     */
    static @Nullable Path modulesBeside(Path kernel) {
        String release = release(kernel);
        if (release == null) {
            return null;
        }
        Path folder = kernel.toAbsolutePath().normalize().getParent();
        Path root = folder == null ? null : folder.getParent();
        for (Path start : new @Nullable Path[] {root, Path.of("/")}) {
            if (start != null) {
                for (String modules : new String[] {"lib/modules", "usr/lib/modules"}) {
                    Path tree = start.resolve(modules).resolve(release);
                    if (Files.isDirectory(tree.resolve("kernel"))) {
                        return tree;
                    }
                }
            }
        }
        return null;
    }

    /** What {@code uname -r} will say, from a bzImage's header; null if it does not say, or can't be read. */
    static @Nullable String release(Path kernel) {
        try (FileChannel file = FileChannel.open(kernel)) {
            ByteBuffer pointer = ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN);
            if (file.read(pointer, VERSION_POINTER) < 2) {
                return null;
            }
            int offset = Short.toUnsignedInt(pointer.getShort(0));
            ByteBuffer text = ByteBuffer.allocate(MAX_VERSION);
            int read = offset == 0 ? 0 : file.read(text, 0x200L + offset);
            String version = new String(text.array(), 0, Math.max(0, read), StandardCharsets.ISO_8859_1);
            int end = version.indexOf(' ');
            return end > 0 && version.substring(0, end).matches("[0-9][A-Za-z0-9.+_~-]*")
                    ? version.substring(0, end)
                    : null;
        } catch (IOException e) {
            return null; // whoever boots it says what is wrong with it
        }
    }
}

package io.javisor.storage.disk;

import java.nio.file.Path;
import java.util.Locale;

/** Formats of disk images. */
public enum ImageFormat {
    /** Sectors one after the other, nothing else: files and block devices. */
    RAW,
    /** Virtual PC and Hyper-V before 2012, up to 2,040 GiB. */
    VHD,
    /** Hyper-V since 2012, up to 64 TiB. */
    VHDX;

    /**
     * The format that a file's name promises: {@code .vhd}, {@code .vhdx}, anything else is raw. The contents are not asked:
     * a guest could write a header into its raw disk and have the host take it for another format next time.
     */
    public static ImageFormat of(Path path) {
        Path last = path.getFileName();
        String name = last == null ? "" : last.toString().toLowerCase(Locale.ROOT);
        return name.endsWith(".vhdx") ? VHDX : name.endsWith(".vhd") ? VHD : RAW;
    }
}

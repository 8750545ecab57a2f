package io.javisor.linux;

/** Sizes of the pages behind a memory file (memfd_create(2), linux/memfd.h). */
public enum PageSize {
    /** 4 KiB pages, which the host may gather to huge ones if it is advised to. */
    KIB_4(1L << 12, 0),
    /** 2 MiB pages from the host's hugetlb pool. */
    MIB_2(1L << 21, 0x4 | 21 << 26),
    /** 1 GiB pages from the host's hugetlb pool. */
    GIB_1(1L << 30, 0x4 | 30 << 26);

    private static final int MFD_CLOEXEC = 1;

    private final long bytes;
    private final int flags;

    PageSize(long bytes, int flags) {
        this.bytes = bytes;
        this.flags = flags;
    }

    /** The size in bytes. */
    public long bytes() {
        return bytes;
    }

    int memfdFlags() {
        return MFD_CLOEXEC | flags;
    }
}

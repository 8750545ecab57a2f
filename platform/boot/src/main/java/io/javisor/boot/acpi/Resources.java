package io.javisor.boot.acpi;

import io.javisor.partition.acpi.AcpiResource;
import java.util.List;

/** Resource descriptors (ACPI 6.5 section 6.4), as the buffer that a {@code _CRS} holds. */
final class Resources {
    private static final int CONSUMER = 1;
    private static final int MIN_AND_MAX_FIXED = 1 << 2 | 1 << 3;
    private static final int READ_WRITE = 1;

    private Resources() {}

    static byte[] template(List<AcpiResource> resources) {
        var b = new Bytes();
        for (AcpiResource r : resources) {
            switch (r) {
                case AcpiResource.Ports p -> ports(b, p);
                case AcpiResource.Memory m -> memory(b, m.base(), m.length(), CONSUMER);
                case AcpiResource.MemoryWindow w -> memory(b, w.base(), w.length(), 0);
                case AcpiResource.Irq i -> interrupt(b, i);
            }
        }
        b.u8(0x79).u8(0); // end tag; a checksum of 0 is not checked
        return Aml.buffer(b.toArray());
    }

    // Section 6.4.2.5, 16-bit decode.
    private static void ports(Bytes b, AcpiResource.Ports p) {
        b.u8(0x47).u8(1).u16(p.base()).u16(p.base()).u8(1).u8(p.length());
    }

    // Section 6.4.3.6: bit 1 edge, bit 2 active low, bit 3 shared.
    private static void interrupt(Bytes b, AcpiResource.Irq i) {
        int flags = CONSUMER | (i.level() ? 0 : 1 << 1) | (i.shared() ? 1 << 3 : 0);
        b.u8(0x89).u16(6).u8(flags).u8(1).u32(i.gsi());
    }

    // Sections 6.4.3.5.1 and 6.4.3.5.2: QWord and DWord address space descriptors of type memory, not cacheable.
    private static void memory(Bytes b, long base, long length, int direction) {
        long last = base + length - 1;
        boolean wide = last >>> 32 != 0 || length >>> 32 != 0;
        b.u8(wide ? 0x8A : 0x87)
                .u16(wide ? 43 : 23)
                .u8(0)
                .u8(direction | MIN_AND_MAX_FIXED)
                .u8(READ_WRITE);
        for (long field : new long[] {0, base, last, 0, length}) {
            if (wide) {
                b.u64(field);
            } else {
                b.u32((int) field);
            }
        }
    }
}

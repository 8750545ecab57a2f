package io.javisor.boot.acpi;

/** One table with its header (ACPI 6.5 section 5.2.6), checksum included. Immutable. */
public final class AcpiTable {
    static final int HEADER = 36;
    private static final int CHECKSUM = 9;
    private static final int REVISION = 1;

    private final String signature;
    private final byte[] bytes;

    private AcpiTable(String signature, byte[] bytes) {
        this.signature = signature;
        this.bytes = bytes;
    }

    static AcpiTable of(String signature, int tableRevision, byte[] body) {
        byte[] bytes = new Bytes()
                .ascii(signature)
                .u32(HEADER + body.length)
                .u8(tableRevision)
                .u8(0)
                .ascii("JAVISR")
                .ascii("JAVISOR ")
                .u32(REVISION)
                .ascii("JVSR")
                .u32(REVISION)
                .put(body)
                .toArray();
        bytes[CHECKSUM] = Bytes.checksum(bytes, 0, bytes.length);
        return new AcpiTable(signature, bytes);
    }

    /** Its four characters. */
    public String signature() {
        return signature;
    }

    /** All of it, header included. */
    public byte[] bytes() {
        return bytes.clone();
    }

    @Override
    public String toString() {
        return signature + " (" + bytes.length + " bytes)";
    }
}

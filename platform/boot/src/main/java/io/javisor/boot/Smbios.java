package io.javisor.boot;

import io.javisor.partition.topology.AddressSpacePlan;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * SMBIOS 3.3 structures (DMTF DSP0134): firmware, system, enclosure, memory by node, end. What Linux's {@code dmi} subsystem
 * and {@code dmidecode} read.
 */
final class Smbios {
    private static final int FIRMWARE = 0x0000;
    private static final int SYSTEM = 0x0100;
    private static final int ENCLOSURE = 0x0300;
    private static final int MEMORY_ARRAY = 0x1000;
    private static final int MEMORY_DEVICE = 0x1100;
    private static final int MEMORY_MAPPING = 0x1300;
    private static final int END = 0x7F00;
    private static final String VENDOR = "Javisor";

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private Smbios() {}

    /** The structures. */
    static byte[] structures(MachineIdentity identity, AddressSpacePlan plan) {
        var s = new Smbios();
        s.add(FIRMWARE, firmware(), VENDOR, "1.0", "01/01/2026");
        s.add(SYSTEM, system(identity), VENDOR, "Virtual Machine", identity.name());
        s.add(ENCLOSURE, enclosure(), VENDOR);
        int last = plan.bootMemory().stream()
                .mapToInt(AddressSpacePlan.Range::node)
                .max()
                .orElse(0);
        int devices = 0;
        for (int node = 0; node <= last; node++) {
            devices += plan.bootBytes(node) > 0 ? 1 : 0;
        }
        s.add(MEMORY_ARRAY, memoryArray(plan, devices));
        for (int node = 0; node <= last; node++) {
            if (plan.bootBytes(node) > 0) {
                s.add(MEMORY_DEVICE + node, memoryDevice(plan.bootBytes(node)), "Node " + node, VENDOR);
            }
        }
        int mapping = 0;
        for (AddressSpacePlan.Range r : plan.bootMemory()) {
            s.add(MEMORY_MAPPING + mapping++, memoryMapping(r));
        }
        s.add(END, ByteBuffer.allocate(0));
        return s.out.toByteArray();
    }

    /** The 64-bit entry point (DSP0134 section 5.2.2). */
    static byte[] entryPoint(int structuresLength, long structuresAt) {
        ByteBuffer b = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        b.put("_SM3_".getBytes(StandardCharsets.US_ASCII)).put((byte) 0).put((byte) 24);
        b.put((byte) 3).put((byte) 3).put((byte) 0).put((byte) 1).put((byte) 0);
        b.putInt(structuresLength).putLong(structuresAt);
        byte sum = 0;
        for (byte x : b.array()) {
            sum += x;
        }
        return b.put(5, (byte) -sum).array();
    }

    // Section 7.1. The firmware's ROM size and start segment mean nothing here.
    private static ByteBuffer firmware() {
        ByteBuffer b = body(0x1A);
        string(b, 4, 1);
        string(b, 5, 2);
        b.putShort(6, (short) 0xE000);
        string(b, 8, 3);
        b.putLong(0x0A, 1L << 3); // characteristics are not supported
        b.put(0x13, (byte) 0x14); // a virtual machine; target content distribution
        b.put(0x14, (byte) 1);
        b.put(0x16, (byte) 0xFF);
        b.put(0x17, (byte) 0xFF);
        return b;
    }

    // Section 7.2. The first three fields of the UUID are little-endian since SMBIOS 2.6.
    private static ByteBuffer system(MachineIdentity identity) {
        ByteBuffer b = body(0x1B);
        string(b, 4, 1);
        string(b, 5, 2);
        string(b, 7, 3);
        long high = identity.uuid().getMostSignificantBits();
        b.putInt(8, (int) (high >>> 32)).putShort(12, (short) (high >>> 16)).putShort(14, (short) high);
        b.putLong(16, Long.reverseBytes(identity.uuid().getLeastSignificantBits()));
        b.put(0x18, (byte) 6); // woken by the power switch
        return b;
    }

    // Section 7.4: type "other", states "safe".
    private static ByteBuffer enclosure() {
        ByteBuffer b = body(0x16);
        string(b, 4, 1);
        b.put(5, (byte) 1).put(9, (byte) 3).put(10, (byte) 3).put(11, (byte) 3).put(12, (byte) 2);
        return b;
    }

    // Section 7.17: system board, system memory, multi-bit ECC.
    private static ByteBuffer memoryArray(AddressSpacePlan plan, int devices) {
        ByteBuffer b = body(0x17);
        b.put(4, (byte) 3).put(5, (byte) 3).put(6, (byte) 6);
        b.putInt(7, 0x8000_0000).putShort(11, (short) 0xFFFE).putShort(13, (short) devices);
        b.putLong(15, plan.bootBytes());
        return b;
    }

    // Section 7.18: a DIMM of RAM. Sizes from 32 GiB − 1 MiB on go into the extended field, in MiB.
    private static ByteBuffer memoryDevice(long bytes) {
        ByteBuffer b = body(0x28);
        long mib = bytes >> 20;
        b.putShort(4, (short) MEMORY_ARRAY).putShort(6, (short) 0xFFFE);
        b.putShort(8, (short) 64).putShort(10, (short) 64);
        b.putShort(12, mib < 0x7FFF ? (short) mib : 0x7FFF);
        b.put(14, (byte) 9);
        string(b, 16, 1);
        b.put(18, (byte) 7).putShort(19, (short) 2);
        string(b, 23, 2);
        b.putInt(0x1C, mib < 0x7FFF ? 0 : (int) mib);
        return b;
    }

    // Section 7.20, with 64-bit addresses throughout.
    private static ByteBuffer memoryMapping(AddressSpacePlan.Range r) {
        ByteBuffer b = body(0x1F);
        b.putInt(4, -1).putInt(8, -1).putShort(12, (short) MEMORY_ARRAY).put(14, (byte) 1);
        b.putLong(15, r.gpa()).putLong(23, r.end() - 1);
        return b;
    }

    private static ByteBuffer body(int length) {
        return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void string(ByteBuffer b, int offset, int number) {
        b.put(offset, (byte) number);
    }

    // Section 6.1.2: type, length, handle; then the strings, each ended by NUL, and one more NUL (two if there is
    // none).
    private void add(int handle, ByteBuffer body, String... strings) {
        int length = Math.max(4, body.capacity());
        ByteBuffer b = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        b.put(body.clear()).clear();
        b.put(0, (byte) (handle >> 8)).put(1, (byte) length).putShort(2, (short) handle);
        out.writeBytes(b.array());
        for (String s : strings) {
            out.writeBytes(s.getBytes(StandardCharsets.US_ASCII));
            out.write(0);
        }
        if (strings.length == 0) {
            out.write(0);
        }
        out.write(0);
    }
}

package io.javisor.api;

import io.javisor.kvm.CpuidEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * What is true of the host's processor although KVM does not say so. Its brand; and of one that QEMU translates, that it does
 * not speculate and that its time stamp counter has a constant rate, being the host's: guests that are told so warn of
 * nothing, and do not measure what is known.
 *
 * @param brand as in {@code /proc/cpuinfo}, empty if it has none
 */
record HostProcessor(String brand) {
    /** The first leaf of the processor's brand; two more follow (AMD APM volume 3, E.4.3). */
    private static final int BRAND = 0x8000_0002;

    private static final int BRAND_BYTES = 48;

    /** What QEMU calls the processor that its translator is (target/i386/cpu.c). */
    private static final String QEMU_TRANSLATOR = "QEMU TCG CPU";

    private static final int MAX_EXTENDED = 0x8000_0000;

    /** Advanced power management: EDX bit 8 is the invariant TSC (AMD APM volume 3, E.4.6). */
    private static final int POWER = 0x8000_0007;

    private static final int INVARIANT_TSC = 1 << 8;

    /** Extended features 2 (AMD APM volume 3, E.4.17). */
    private static final int FEATURES_2 = 0x8000_0021;

    /** EAX bit 29: not open to speculative return stack overflow (Linux, arch/x86/include/asm/cpufeatures.h, SRSO_NO). */
    private static final int SRSO_NO = 1 << 29;

    /** Read once: the kernel makes the file anew for each reader, and machines are restored in milliseconds. */
    private static final class Here {
        static final HostProcessor PROCESSOR = read();
    }

    /** This host's. */
    static HostProcessor here() {
        return Here.PROCESSOR;
    }

    private static HostProcessor read() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return new HostProcessor(lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(""));
        } catch (IOException e) {
            return new HostProcessor(""); // without /proc the brand is all that is lost
        }
    }

    /** The same leaves, completed. */
    List<CpuidEntry> complete(List<CpuidEntry> supported) {
        var leaves = new ArrayList<>(supported);
        ByteBuffer text = ByteBuffer.wrap(Arrays.copyOf(brand.getBytes(StandardCharsets.ISO_8859_1), BRAND_BYTES))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int part = 0; part < 3; part++) {
            int eax = text.getInt();
            int ebx = text.getInt();
            int ecx = text.getInt();
            int edx = text.getInt();
            change(leaves, BRAND + part, l -> new CpuidEntry(l.function(), l.index(), l.flags(), eax, ebx, ecx, edx));
        }
        if (brand.startsWith(QEMU_TRANSLATOR)) {
            change(leaves, POWER, l -> with(l, l.eax(), l.edx() | INVARIANT_TSC));
            change(leaves, FEATURES_2, l -> with(l, l.eax() | SRSO_NO, l.edx()));
            // Leaf numbers are unsigned.
            change(leaves, MAX_EXTENDED, l -> with(l, maxUnsigned(l.eax(), FEATURES_2), l.edx()));
        }
        return leaves;
    }

    private static int maxUnsigned(int a, int b) {
        return Integer.compareUnsigned(a, b) >= 0 ? a : b;
    }

    private static void change(List<CpuidEntry> leaves, int function, UnaryOperator<CpuidEntry> change) {
        for (int i = 0; i < leaves.size(); i++) {
            if (leaves.get(i).function() == function) {
                leaves.set(i, change.apply(leaves.get(i)));
                return;
            }
        }
        leaves.add(change.apply(new CpuidEntry(function, 0, 0, 0, 0, 0, 0)));
    }

    private static CpuidEntry with(CpuidEntry leaf, int eax, int edx) {
        return new CpuidEntry(leaf.function(), leaf.index(), leaf.flags(), eax, leaf.ebx(), leaf.ecx(), edx);
    }
}

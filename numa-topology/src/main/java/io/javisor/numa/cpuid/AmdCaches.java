package io.javisor.numa.cpuid;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Describes an AMD processor's caches in leaf 0x8000001D from the older leaves, for hosts that lack it (AMD64 APM volume 3). */
final class AmdCaches {
    private static final int FUNCTION = 0x8000_001D;
    private static final int DATA = 1;
    private static final int INSTRUCTION = 2;
    private static final int UNIFIED = 3;
    private static final int SELF_INITIALIZING = 1 << 8;
    private static final int FULLY_ASSOCIATIVE = 1 << 9;

    private AmdCaches() {}

    /** The leaf's answers, ended by an empty one. */
    static List<CpuidLeaf> describe(@Nullable CpuidLeaf first, @Nullable CpuidLeaf second) {
        var list = new ArrayList<CpuidLeaf>();
        if (first != null) {
            add(list, DATA, 1, first.ecx() >>> 24 << 10, first.ecx() >>> 16 & 0xFF, first.ecx() & 0xFF);
            add(list, INSTRUCTION, 1, first.edx() >>> 24 << 10, first.edx() >>> 16 & 0xFF, first.edx() & 0xFF);
        }
        if (second != null) {
            add(list, UNIFIED, 2, (long) (second.ecx() >>> 16) << 10, ways(second.ecx()), second.ecx() & 0xFF);
            add(list, UNIFIED, 3, (long) (second.edx() >>> 18) << 19, ways(second.edx()), second.edx() & 0xFF);
        }
        list.add(CpuidLeaf.indexed(FUNCTION, list.size(), 0, 0, 0, 0));
        return list;
    }

    private static void add(List<CpuidLeaf> list, int type, int level, long bytes, int ways, int line) {
        if (bytes == 0 || ways == 0 || line == 0) {
            return;
        }
        boolean full = ways == 0xFF;
        long lines = bytes / line;
        long w = full ? lines : ways;
        long sets = Math.max(1, lines / w);
        list.add(CpuidLeaf.indexed(
                FUNCTION,
                list.size(),
                type | level << 5 | SELF_INITIALIZING | (full ? FULLY_ASSOCIATIVE : 0),
                line - 1 | (int) Math.min(w - 1, 0x3FF) << 22,
                (int) (sets - 1),
                0));
    }

    /** Associativity as leaf 0x80000006 codes it; 0 for no cache, 0xFF for full. */
    private static int ways(int register) {
        return switch (register >>> 12 & 0xF) {
            case 1 -> 1;
            case 2 -> 2;
            case 3 -> 3;
            case 4 -> 4;
            case 5 -> 6;
            case 6 -> 8;
            case 8 -> 16;
            case 0xA -> 32;
            case 0xB -> 48;
            case 0xC -> 64;
            case 0xD -> 96;
            case 0xE -> 128;
            case 0xF -> 0xFF;
            // 9 says "see leaf 0x8000001D", which is what is being made: a usual number.
            case 9 -> 16;
            default -> 0;
        };
    }
}

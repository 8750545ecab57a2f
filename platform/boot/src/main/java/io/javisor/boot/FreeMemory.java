package io.javisor.boot;

import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.AddressSpacePlan.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Boot memory above 1 MiB that nothing has taken yet. Used by one thread while a guest's memory is laid out. */
final class FreeMemory {
    private record Piece(long start, long end) {}

    private List<Piece> pieces = new ArrayList<>();

    FreeMemory(AddressSpacePlan plan) {
        for (Range r : plan.bootMemory()) {
            Piece last = pieces.isEmpty() ? null : pieces.getLast();
            if (last != null && last.end == r.gpa()) {
                pieces.set(pieces.size() - 1, new Piece(last.start, r.end()));
            } else {
                pieces.add(new Piece(r.gpa(), r.end()));
            }
        }
        take(0, BootAddresses.BIOS_END);
    }

    boolean isFree(long gpa, long length) {
        return gpa >= 0
                && length >= 0
                && pieces.stream().anyMatch(p -> gpa >= p.start && gpa <= p.end && length <= p.end - gpa);
    }

    void take(long gpa, long length) {
        long end = gpa + length;
        var next = new ArrayList<Piece>();
        for (Piece p : pieces) {
            if (p.end <= gpa || p.start >= end) {
                next.add(p);
                continue;
            }
            if (p.start < gpa) {
                next.add(new Piece(p.start, gpa));
            }
            if (p.end > end) {
                next.add(new Piece(end, p.end));
            }
        }
        pieces = next;
    }

    /** The lowest free place from {@code min} on, below {@code limit}. Alignment is a power of two. */
    OptionalLong lowest(long length, long alignment, long min, long limit) {
        for (Piece p : pieces) {
            long at = (Math.max(p.start, min) + alignment - 1) & -alignment;
            long end = Math.min(p.end, limit);
            if (at >= 0 && at <= end && length <= end - at) {
                return OptionalLong.of(at);
            }
        }
        return OptionalLong.empty();
    }

    /** The highest free place below {@code limit}. Alignment is a power of two. */
    OptionalLong highest(long length, long alignment, long limit) {
        for (Piece p : pieces.reversed()) {
            long end = Math.min(p.end, limit);
            if (end - p.start >= length) {
                long at = (end - length) & -alignment;
                if (at >= p.start) {
                    return OptionalLong.of(at);
                }
            }
        }
        return OptionalLong.empty();
    }
}

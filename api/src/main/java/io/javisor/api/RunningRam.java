package io.javisor.api;

import io.javisor.kvm.partition.KvmPartition;
import io.javisor.memory.balloon.GrowingMemory;
import io.javisor.partition.GuestAddressException;
import io.javisor.partition.MemoryBacking;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.topology.AddressSpacePlan;
import java.util.List;
import java.util.function.BiConsumer;

/** A machine's memory during one run: grows by memory slots of the run's partition, over backings that last longer. */
final class RunningRam implements GrowingMemory {
    private final GuestRam ram;
    private final KvmPartition partition;
    private final List<AddressSpacePlan.Range> ranges;

    RunningRam(GuestRam ram, KvmPartition partition) {
        this.ram = ram;
        this.partition = partition;
        this.ranges = ram.plan().ranges().stream()
                .filter(r -> r.node() != AddressSpacePlan.NO_NODE)
                .toList();
    }

    @Override
    public AddressSpacePlan plan() {
        return ram.plan();
    }

    @Override
    public long pageSize(int node) {
        return ram.backing(node).pageSize();
    }

    @Override
    public void add(int node, long gpa, long length) {
        AddressSpacePlan.Range window = at(gpa);
        if (window.kind() != AddressSpacePlan.Kind.GROWTH_WINDOW
                || window.node() != node
                || length > window.end() - gpa) {
            throw new GuestAddressException(gpa, length);
        }
        long end = Math.min(window.end(), gpa + length + SLOT - 1 & -SLOT);
        long at = Math.max(window.gpa(), gpa & -SLOT);
        while (at < end) {
            long there = partition.memory().runLength(at, end - at);
            if (there == 0) {
                long next = Math.min(end, (at & -SLOT) + SLOT);
                var region = new MemoryRegion(
                        at, next - at, node, ram.backing(node), window.backingOffset() + at - window.gpa());
                ram.added(region);
                partition.addMemory(region);
                there = next - at;
            }
            at += there;
        }
    }

    @Override
    public void discard(long gpa, long length) {
        each(gpa, length, (backing, range) -> backing.discard(range.offset(), range.length()));
    }

    @Override
    public void populate(long gpa, long length) {
        each(gpa, length, (backing, range) -> backing.populate(range.offset(), range.length()));
    }

    /** Gives back what the guest does not need, as far as it is whole pages of the host; says how much that was, in bytes. */
    long discardCold(long gpa, long length) {
        long sum = 0;
        for (long at = gpa; at < gpa + length; ) {
            AddressSpacePlan.Range range = at(at);
            long end = Math.min(gpa + length, range.end());
            MemoryBacking backing = ram.backing(range.node());
            long unit = backing.pageSize();
            long offset = range.backingOffset() - range.gpa();
            long from = at + offset + unit - 1 & -unit;
            long to = end + offset & -unit;
            if (to > from) {
                backing.discard(from, to - from);
                sum += to - from;
            }
            at = end;
        }
        return sum;
    }

    @Override
    public long residentBytes(int node) {
        return ram.backing(node).residentBytes();
    }

    private record Piece(long offset, long length) {}

    private void each(long gpa, long length, BiConsumer<MemoryBacking, Piece> verb) {
        for (long at = gpa; at < gpa + length; ) {
            AddressSpacePlan.Range range = at(at);
            long some = Math.min(gpa + length, range.end()) - at;
            verb.accept(ram.backing(range.node()), new Piece(range.backingOffset() + at - range.gpa(), some));
            at += some;
        }
    }

    private AddressSpacePlan.Range at(long gpa) {
        for (AddressSpacePlan.Range range : ranges) {
            if (gpa >= range.gpa() && gpa < range.end()) {
                return range;
            }
        }
        throw new GuestAddressException(gpa, 1);
    }
}

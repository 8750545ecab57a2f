package io.javisor.memory.balloon;

import io.javisor.memory.protocol.PageRange;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.topology.AddressSpacePlan;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** A machine's memory in name only: remembers which pages the host has handed out, and what was done. */
public final class RecordedMemory implements GrowingMemory {
    final AddressSpacePlan plan;
    final List<PageRange> slots = new ArrayList<>();
    public final TreeSet<Long> resident = new TreeSet<>();
    final TreeSet<Long> discarded = new TreeSet<>();
    long pageSize = 4096;
    long shortAfter = Long.MAX_VALUE; // pages that the host has at most
    long strayPages;
    int discards;

    public RecordedMemory(AddressSpacePlan plan) {
        this.plan = plan;
        plan.bootMemory().forEach(r -> slots.add(PageRange.ofBytes(r.gpa(), r.length())));
    }

    @Override
    public AddressSpacePlan plan() {
        return plan;
    }

    @Override
    public long pageSize(int node) {
        return pageSize;
    }

    @Override
    public void add(int node, long gpa, long length) {
        PageRange added = PageRange.ofBytes(gpa, length);
        boolean inWindow = plan.growthWindows().stream()
                .anyMatch(w -> w.node() == node && gpa >= w.gpa() && gpa + length <= w.end());
        if (!inWindow) {
            throw new AssertionError("memory outside the growth windows of node " + node + ": " + added);
        }
        for (long page = added.first(); page < added.end(); page += 512) {
            long at = page;
            if (slots.stream().noneMatch(s -> at >= s.first() && at < s.end())) {
                slots.add(new PageRange(page, 512));
            }
        }
    }

    private void check(long gpa, long length) {
        if ((gpa | length) % pageSize != 0 || length <= 0) {
            throw new AssertionError("not in whole host pages");
        }
        PageRange range = PageRange.ofBytes(gpa, length);
        for (long page = range.first(); page < range.end(); page += 1) {
            long at = page;
            if (slots.stream().noneMatch(s -> at >= s.first() && at < s.end())) {
                throw new AssertionError("no memory at page " + at);
            }
        }
    }

    @Override
    public void discard(long gpa, long length) {
        check(gpa, length);
        discards++;
        for (long page = gpa / 4096; page < (gpa + length) / 4096; page++) {
            resident.remove(page);
            discarded.add(page);
        }
        strayPages = 0;
    }

    @Override
    public void populate(long gpa, long length) {
        check(gpa, length);
        if (resident.size() + length / 4096 > shortAfter) {
            throw new HypervisorException("guest-memory", "no more memory on this host", null);
        }
        for (long page = gpa / 4096; page < (gpa + length) / 4096; page++) {
            resident.add(page);
            discarded.remove(page);
        }
    }

    @Override
    public long residentBytes(int node) {
        return node == 0 ? residentBytes() : 0;
    }

    long residentBytes() {
        return (resident.size() + strayPages) * 4096L;
    }
}

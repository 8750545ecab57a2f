package io.javisor.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class MappingTest {
    private static final long MIB = 1 << 20;

    /** All of a file that has so many bytes. */
    static Mapping map(HostFile file, long size) {
        file.truncate(size);
        return Mapping.of(file.descriptor(), 0, size, Mapping.Access.SHARED);
    }

    @Test
    void accessIsCheckedAgainstTheBounds() {
        try (HostFile file = HostFile.memory("bounds", PageSize.KIB_4);
                Mapping mapping = map(file, 3 * MIB)) {
            assertThat(mapping.size()).isEqualTo(3 * MIB);
            assertThat(mapping.segment().get(ValueLayout.JAVA_LONG, 3 * MIB - 8))
                    .isZero();
            assertThatThrownBy(() -> mapping.segment().get(ValueLayout.JAVA_LONG_UNALIGNED, 3 * MIB - 7))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void whatDoesNotFitIsRefused() {
        try (HostFile file = HostFile.memory("large", PageSize.KIB_4)) {
            assertThatThrownBy(() -> Mapping.of(file.descriptor(), 0, 1L << 50, Mapping.Access.SHARED))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM))
                    .hasMessageContainingAll("mmap", "large", String.valueOf(1L << 50));
        }
    }

    @Test
    void terabyteCostsNothingUntilTouched() {
        try (HostFile file = HostFile.memory("big", PageSize.KIB_4);
                Mapping mapping = map(file, 1L << 40)) {
            mapping.segment().set(ValueLayout.JAVA_LONG, (1L << 40) - 8, 1);
            assertThat(file.status().allocatedBytes()).isLessThanOrEqualTo(4 * MIB);
        }
    }

    @Test
    void groupEndsTogether() {
        try (HostFile file = HostFile.memory("shared", PageSize.KIB_4);
                Mapping whole = map(file, 16384)) {
            var group = new MappingGroup();
            List<MemorySegment> parts = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                parts.add(group.map(file.descriptor(), 4096L * i, 4096, Mapping.Access.SHARED));
                parts.get(i).set(ValueLayout.JAVA_INT, 0, i + 1);
            }
            group.close();
            group.close();
            assertThatThrownBy(() -> group.map(file.descriptor(), 0, 4096, Mapping.Access.SHARED))
                    .isInstanceOf(IllegalStateException.class);
            for (int i = 0; i < 4; i++) {
                assertThat(parts.get(i).get(ValueLayout.JAVA_INT, 0)).isZero();
                parts.get(i).set(ValueLayout.JAVA_INT, 0, 9);
                assertThat(whole.segment().get(ValueLayout.JAVA_INT, 4096L * i)).isEqualTo(i + 1);
            }
        }
    }

    @Test
    void partsOfFilesLieSideBySide() {
        try (HostFile one = HostFile.memory("one", PageSize.KIB_4);
                HostFile two = HostFile.memory("two", PageSize.KIB_4);
                Mapping mapping = map(one, 8192)) {
            two.truncate(4096);
            mapping.map(0, 4096, one.descriptor(), 4096, Mapping.Access.SHARED);
            mapping.map(4096, 4096, two.descriptor(), 0, Mapping.Access.SHARED);
            mapping.segment().setString(4092, "ab|cd");
            try (Mapping other = Mapping.of(one.descriptor(), 4096, 4096, Mapping.Access.SHARED_READ)) {
                assertThat(other.segment().get(ValueLayout.JAVA_BYTE, 4092)).isEqualTo((byte) 'a');
            }
            try (Mapping other = Mapping.of(two.descriptor(), 0, 4096, Mapping.Access.SHARED)) {
                assertThat(other.segment().getString(0)).isEqualTo("d");
            }
            assertThatThrownBy(() -> mapping.map(4096, 8192, two.descriptor(), 0, Mapping.Access.SHARED))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> mapping.map(100, 4096, two.descriptor(), 0, Mapping.Access.SHARED))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void privateWritesStayPrivate() {
        try (HostFile file = HostFile.memory("private", PageSize.KIB_4)) {
            file.truncate(4096);
            try (Mapping shared = Mapping.of(file.descriptor(), 0, 4096, Mapping.Access.SHARED);
                    Mapping mine = Mapping.of(file.descriptor(), 0, 4096, Mapping.Access.PRIVATE)) {
                shared.segment().set(ValueLayout.JAVA_INT, 0, 1);
                mine.segment().set(ValueLayout.JAVA_INT, 0, 2);
                assertThat(shared.segment().get(ValueLayout.JAVA_INT, 0)).isEqualTo(1);
            }
        }
    }

    @Test
    void adviceReachesTheKernel() {
        try (HostFile file = HostFile.memory("advice", PageSize.KIB_4);
                Mapping mapping = map(file, 4 * MIB)) {
            mapping.advise(0, 4 * MIB, Advice.DONT_FORK);
            mapping.advise(0, 4 * MIB, Advice.DONT_DUMP);
            mapping.advise(0, 2 * MIB, Advice.POPULATE_WRITE);
            assertThat(file.status().allocatedBytes()).isEqualTo(2 * MIB);
            mapping.segment().set(ValueLayout.JAVA_INT, 0, 7);
            mapping.advise(0, 2 * MIB, Advice.DONT_NEED);
            assertThat(mapping.segment().get(ValueLayout.JAVA_INT, 0)).isEqualTo(7);
            mapping.advise(0, 2 * MIB, Advice.REMOVE);
            assertThat(mapping.segment().get(ValueLayout.JAVA_INT, 0)).isZero();
            assertThatThrownBy(() -> mapping.advise(1, 4096, Advice.DONT_NEED))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
                    .hasMessageContainingAll("madvise", "DONT_NEED", "EINVAL");
            assertThatThrownBy(() -> mapping.advise(0, 8 * MIB, Advice.DONT_NEED))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void shortFileIsAnErrorWhenPopulated() {
        try (HostFile file = HostFile.memory("short", PageSize.KIB_4);
                Mapping mapping = Mapping.of(file.descriptor(), 0, 8192, Mapping.Access.SHARED)) {
            file.truncate(4096);
            assertThat(mapping.tryAdvise(4096, 4096, Advice.POPULATE_WRITE)).isEqualTo(-Errno.EFAULT);
        }
    }

    @Test
    void roomForMappingsIsTriedAndGivenBack() throws Exception {
        long limit = Long.parseLong(
                Files.readAllLines(Path.of("/proc/sys/vm/max_map_count")).getFirst());
        assumeTrue(limit < 1 << 20, "the limit is " + limit);
        long before = ProcessFiles.mappings("");
        assertThat(MappingRoom.isFor(1000)).isTrue();
        assertThat(MappingRoom.isFor((int) limit + 1)).isFalse();
        for (int i = 0; i < 100; i++) {
            assertThat(MappingRoom.ofProcess().take(20)).isTrue();
        }
        assertThat(MappingRoom.ofProcess().take((int) limit)).isFalse();
        assertThat(MappingRoom.ofProcess().take(20)).isTrue();
        // The JVM's own come and go.
        assertThat(ProcessFiles.mappings("")).isCloseTo(before, within(100L));
    }

    @Test
    void hugePagesThatTheHostDoesNotHaveAreAnErrorAndNoSignal() {
        try (HostFile file = HostFile.memory("huge", PageSize.GIB_1);
                Mapping mapping = map(file, PageSize.GIB_1.bytes())) {
            assertThat(mapping.segment().address() % PageSize.GIB_1.bytes()).isZero();
            int result = mapping.tryAdvise(0, mapping.size(), Advice.POPULATE_WRITE);
            // EFAULT is what a fault that ends in SIGBUS becomes; a host with the page in its pool gives it.
            assertThat(result).isIn(0, -Errno.ENOMEM, -Errno.EFAULT);
        } catch (LinuxException e) {
            assertThat(e.errnoName()).isIn("ENOMEM", "EINVAL", "ENODEV");
        }
    }

    @Test
    void whatIsGotBeforeTheCloseReadsAsZeroesAfterIt() {
        try (HostFile file = HostFile.memory("late", PageSize.KIB_4)) {
            file.truncate(4096);
            Mapping mapping = Mapping.of(file.descriptor(), 0, 100, Mapping.Access.SHARED);
            MemorySegment segment = mapping.segment();
            segment.set(ValueLayout.JAVA_INT, 0, 7);
            assertThat(mapping.isClosed()).isFalse();
            mapping.close();
            mapping.close();
            assertThat(mapping.isClosed()).isTrue();
            assertThat(segment.get(ValueLayout.JAVA_INT, 0)).isZero();
            segment.set(ValueLayout.JAVA_INT, 0, 8);
            assertThatThrownBy(() -> segment.get(ValueLayout.JAVA_INT, 97))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            try (Mapping again = Mapping.of(file.descriptor(), 0, 4096, Mapping.Access.SHARED_READ)) {
                assertThat(again.segment().get(ValueLayout.JAVA_INT, 0))
                        .as("the file has nothing of what was written since")
                        .isEqualTo(7);
            }
            assertThatThrownBy(mapping::segment).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> mapping.advise(0, 100, Advice.DONT_NEED))
                    .isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> mapping.clear(0, 4096)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> mapping.map(0, 4096, file.descriptor(), 0, Mapping.Access.SHARED))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void closeWaitsForNoSystemCall() throws Exception {
        try (TimerFd timer = new TimerFd();
                HostFile file = HostFile.memory("polled", PageSize.KIB_4)) {
            Mapping mapping = map(file, 4096);
            // A poll on the mapping's memory that lasts until the timer ends it.
            MemorySegment poll = mapping.segment().asSlice(0, 8);
            var begun = new CountDownLatch(1);
            var result = new AtomicLong(-1);
            Thread user = Thread.ofPlatform().start(() -> {
                int fd = timer.descriptor().acquire();
                poll.set(ValueLayout.JAVA_INT, 0, fd);
                poll.set(ValueLayout.JAVA_SHORT, 4, (short) 1);
                begun.countDown();
                result.set(EventCalls.poll(CallState.current(), poll, 1, 20_000));
                timer.descriptor().release();
            });
            begun.await();
            Thread.sleep(50);
            mapping.close();
            assertThat(user.isAlive()).as("the call goes on").isTrue();
            timer.arm(1, 0);
            user.join();
            assertThat(result.get()).isEqualTo(1);
            assertThat(poll.get(ValueLayout.JAVA_SHORT, 6))
                    .as("what it answers lands in memory that nobody else has")
                    .isEqualTo((short) 1);
        }
    }

    @Test
    void addressesGoWhenNothingRefersToThem() throws Exception {
        Mapping closed;
        try (HostFile file = HostFile.memory("closed", PageSize.KIB_4)) {
            closed = map(file, 1L << 40);
        }
        long address = closed.segment().address();
        closed.close();
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (ProcessFiles.isMapped(address)) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            System.gc();
            Thread.sleep(10);
        }
        assertThat(closed.isClosed()).isTrue();
        try (HostFile file = HostFile.memory("forgotten", PageSize.KIB_4)) {
            file.truncate(4096);
            forget(file);
            for (int i = 0; i < 5; i++) {
                System.gc();
                Thread.sleep(20);
            }
            assertThat(ProcessFiles.mappings("memfd:forgotten"))
                    .as("a VM may use the addresses of who forgot to close")
                    .isOne();
        }
    }

    private static void forget(HostFile file) {
        var _ = Mapping.of(file.descriptor(), 0, 4096, Mapping.Access.SHARED);
    }

    @Test
    void addressesOfClosedMappingsAreUsedAgainBeforeTheyRunOut() {
        // Of 128 TiB that a process has, each takes more than half.
        try (HostFile file = HostFile.memory("closed", PageSize.KIB_4)) {
            for (int i = 0; i < 5; i++) {
                Mapping.of(file.descriptor(), 0, 72L << 40, Mapping.Access.SHARED)
                        .close();
            }
        }
    }

    @Test
    void whatIsFilledDuringACloseIsGivenBack() throws Exception {
        for (int i = 0; i < 20; i++) {
            try (HostFile file = HostFile.memory("filled", PageSize.KIB_4)) {
                Mapping mapping = map(file, 16 * MIB);
                MemorySegment segment = mapping.segment();
                Thread user = Thread.ofPlatform().start(() -> {
                    try {
                        mapping.tryAdvise(0, 16 * MIB, Advice.POPULATE_WRITE);
                    } catch (IllegalStateException e) {
                        // closed before
                    }
                });
                Thread.sleep(i / 4);
                mapping.close();
                user.join();
                assertThat(residentPages(segment)).isZero();
            }
        }
    }

    private static long residentPages(MemorySegment of) throws Exception {
        long pages = 0;
        try (var map = new RandomAccessFile("/proc/self/pagemap", "r")) {
            map.seek(of.address() / 4096 * 8);
            for (long i = 0; i < of.byteSize() / 4096; i++) {
                pages += Long.reverseBytes(map.readLong()) >>> 63; // the page is present
            }
        }
        return pages;
    }

    @Test
    void thousandLivesLeaveNothing() throws Exception {
        long descriptors = ProcessFiles.descriptors("memfd:life");
        long mappings = ProcessFiles.mappings("memfd:life");
        for (int i = 0; i < 1_000; i++) {
            try (HostFile file = HostFile.memory("life", PageSize.KIB_4);
                    Mapping mapping = map(file, MIB)) {
                mapping.segment().set(ValueLayout.JAVA_INT, 0, i);
            }
        }
        assertThat(ProcessFiles.descriptors("memfd:life")).isEqualTo(descriptors);
        assertThat(ProcessFiles.mappings("memfd:life")).isEqualTo(mappings);
    }
}

package io.javisor.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.boot.acpi.AcpiPlatform;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.MemoryBacking;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.PlainBacking;
import io.javisor.partition.acpi.AcpiDevice;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.CpuTopology;
import io.javisor.partition.topology.NumaDescription;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinuxBootTest {
    private static final long MIB = 1L << 20;
    private static final AcpiPlatform PLATFORM = new AcpiPlatform(0x600, 0x601, 0x602, 1, 5, 0x32);
    private static final byte[] NO_SEED = {};

    private static LinuxBoot.Builder boot(byte[] kernel, AddressSpacePlan plan) {
        return LinuxBoot.builder()
                .kernel(Kernels.read(kernel))
                .memory(plan)
                .cpus(CpuTopology.flat(2))
                .platform(PLATFORM)
                .commandLine("console=ttyS0 quiet");
    }

    private static byte[] bytes(int length, int value) {
        byte[] b = new byte[length];
        Arrays.fill(b, (byte) value);
        return b;
    }

    @Test
    void bzImageIsPlacedAsTheProtocolSays() {
        var plan = AddressSpacePlan.single(64 * MIB);
        byte[] archive = bytes(5000, 0x11);
        try (var test = new TestMemory(plan)) {
            GuestMemory m = test.memory;
            byte[] seed = bytes(32, 0x77);
            BootLayout layout = boot(Kernels.bzImage(0x10000), plan)
                    .initrd(Initrd.of(ByteSource.of("initrd", archive)))
                    .build()
                    .load(m, seed);

            BootEntry entry = layout.entry();
            assertThat(entry.rip()).isEqualTo(0x100_0200);
            assertThat(entry.rsi()).isEqualTo(0x7000);
            assertThat(m.getByte(0x100_0000)).isEqualTo((byte) 0x5A);
            assertThat(m.getByte(0x100_FFFF)).isEqualTo((byte) 0x5A);
            assertThat(m.getByte(0x101_0000)).isZero();

            long zero = entry.rsi();
            assertThat(m.getByte(zero + 0x1EF)).as("sentinel").isZero();
            assertThat(m.getInt(zero + 0x202)).isEqualTo(0x53726448);
            assertThat(m.getByte(zero + 0x210)).isEqualTo((byte) 0xFF);
            long initrd = m.getInt(zero + 0x218);
            assertThat(layout.initrdAddress()).hasValue(initrd);
            assertThat(initrd).isEqualTo(64 * MIB - 8192);
            assertThat(m.getInt(zero + 0x21C)).isEqualTo(5000);
            byte[] copy = new byte[5000];
            m.read(initrd, copy);
            assertThat(copy).isEqualTo(archive);

            byte[] line = new byte[20];
            m.read(m.getInt(zero + 0x228), line);
            assertThat(line).isEqualTo("console=ttyS0 quiet\0".getBytes(StandardCharsets.US_ASCII));

            long data = m.getLong(zero + 0x250);
            assertThat(m.getLong(data)).as("next").isZero();
            assertThat(m.getInt(data + 8)).as("SETUP_RNG_SEED").isEqualTo(9);
            assertThat(m.getInt(data + 12)).isEqualTo(32);
            byte[] given = new byte[32];
            m.read(data + 16, given);
            assertThat(given).isEqualTo(seed);

            assertThat(text(m, m.getLong(zero + 0x070), 8)).isEqualTo("RSD PTR ");
            assertThat(m.getLong(zero + 0x070)).as("in the reset vector's page").isEqualTo(0xF_F000);
            assertThat(text(m, 0xF_F040, 5)).isEqualTo("_SM3_");
            assertThat(m.getLong(0xF_F040 + 16)).isEqualTo(0xF_F060);
            assertThat(m.getByte(0xF_FFF0)).as("the reset vector").isEqualTo((byte) 0xBA);
        }
    }

    private static String text(GuestMemory memory, long gpa, int length) {
        byte[] bytes = new byte[length];
        memory.read(gpa, bytes);
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    @Test
    void longTablesOfTheBiosHaveASegmentOfTheirOwn() {
        var builder = AddressSpacePlan.builder().addressBits(46);
        for (int node = 0; node < 64; node++) {
            builder.node(16 * MIB);
        }
        var plan = builder.build();
        try (var test = new TestMemory(plan)) {
            BootLayout layout = boot(Kernels.bzImage(0x10000), plan)
                    .numa(NumaDescription.uniform(64))
                    .build()
                    .load(test.memory, NO_SEED);
            GuestMemory m = test.memory;
            assertThat(m.getLong(layout.entry().rsi() + 0x070)).isEqualTo(0xF_0000);
            assertThat(text(m, 0xF_0000, 8)).isEqualTo("RSD PTR ");
            assertThat(text(m, 0xF_0040, 5)).isEqualTo("_SM3_");
            assertThat(m.getInt(0xF_0040 + 12)).as("bytes").isGreaterThan(0xF90);
            assertThat(m.getByte(0xF_FFF0)).as("the reset vector").isEqualTo((byte) 0xBA);
        }
    }

    @Test
    void theMapOfASmallMachine() {
        var plan = AddressSpacePlan.single(64 * MIB);
        try (var test = new TestMemory(plan)) {
            BootLayout layout = boot(Kernels.bzImage(0x10000), plan).build().load(test.memory, NO_SEED);
            assertThat(layout.memoryMap())
                    .containsExactly(
                            new E820Entry(0, 0x9F000, E820Entry.Type.USABLE),
                            new E820Entry(0xE0000, 0x20000, E820Entry.Type.RESERVED),
                            new E820Entry(0x10_0000, 63 * MIB, E820Entry.Type.USABLE));
            GuestMemory m = test.memory;
            assertThat(m.getByte(0x71E8)).isEqualTo((byte) 3);
            assertThat(m.getLong(0x72D0 + 40)).isEqualTo(0x10_0000);
            assertThat(m.getLong(0x72D0 + 48)).isEqualTo(63 * MIB);
            assertThat(m.getInt(0x72D0 + 56)).isEqualTo(1);
        }
    }

    @Test
    void whatThereIsInTheFirstFourGibibytesIsMappedToItself() {
        var plan = AddressSpacePlan.single(32 * MIB);
        try (var test = new TestMemory(plan)) {
            BootEntry entry = boot(Kernels.bzImage(0x10000), plan)
                    .build()
                    .load(test.memory, NO_SEED)
                    .entry();
            for (long address : new long[] {0, 0x100_0200, 0x7000, 0xFFFF_FFFFL}) {
                assertThat(walk(test.memory, entry.cr3(), address)).isEqualTo(address);
            }
            assertThat(test.memory.getLong(entry.gdtBase() + entry.codeSelector()))
                    .isEqualTo(0x00AF9B000000FFFFL);
            assertThat(entry.gdtLimit()).isEqualTo(31);
            long directories = test.memory.getLong(entry.cr3()) & -4096;
            assertThat(test.memory.getLong(directories + 8))
                    .as("the second GiB, where nothing is")
                    .isZero();
        }
    }

    @Test
    void eachGibibyteWithMemoryIsMapped() {
        var memory = new GuestMemory();
        var low = new PlainBacking(MemorySegment.ofArray(new byte[1 << 20]));
        memory.add(new MemoryRegion(0, 1 << 20, 0, low, 0));
        memory.add(
                new MemoryRegion(0x8000_0000L - 4096, 8192, 0, low, 0)); // at the end of the second, and in the third
        PageTables.write(memory);
        for (long address : new long[] {0x3FFF_FFFFL, 0x4000_0000L, 0x8000_0000L, 0xBFFF_FFFFL, 0xC000_0000L}) {
            assertThat(walk(memory, BootAddresses.PAGE_TABLES, address)).isEqualTo(address);
        }
    }

    @Test
    void memoryThatNobodyHasTouchedIsNotTouched() {
        var plan = AddressSpacePlan.single(32 * MIB);
        var memory = new GuestMemory();
        byte[] bytes = bytes((int) (32 * MIB), 0xEE);
        // Zero by word of its backing alone, but for the page behind the second segment's bytes.
        memory.add(new MemoryRegion(0, 32 * MIB, 0, new Untouched(bytes, 0x120_1000, 4096), 0));
        byte[] kernel = Kernels.elf();
        Kernels.segment(Kernels.fields(kernel), 2, 1, 0x3000, 0x120_0000, 0x1000, 0x10_0000);
        boot(kernel, plan).build().load(memory, NO_SEED);
        assertThat(memory.getByte(0x120_0FFF)).isEqualTo((byte) 0xA5);
        assertThat(memory.getByte(0x120_1000)).isZero();
        assertThat(memory.getByte(0x120_1FFF)).isZero();
        assertThat(memory.getByte(0x120_2000)).isEqualTo((byte) 0xEE);
        assertThat(memory.getByte(0x12F_FFFF)).isEqualTo((byte) 0xEE);
        assertThat(memory.getLong(BootAddresses.PAGE_TABLES + 3 * 4096)).isEqualTo(0xEEEE_EEEE_EEEE_EEEEL);
    }

    /** Memory of which one range has been touched, and all else would be zero. */
    private record Untouched(PlainBacking all, MemorySegment segment, long from, long length) implements MemoryBacking {
        Untouched(byte[] bytes, long from, long length) {
            this(new PlainBacking(MemorySegment.ofArray(bytes)), MemorySegment.ofArray(bytes), from, length);
        }

        @Override
        public long nextTouched(long offset) {
            return offset < from ? from : offset < from + length ? offset : -1;
        }

        @Override
        public long nextUntouched(long offset) {
            return offset < from || offset >= from + length ? offset : from + length;
        }

        @Override
        public long pageSize() {
            return all.pageSize();
        }

        @Override
        public void discard(long offset, long bytes) {
            all.discard(offset, bytes);
        }

        @Override
        public void populate(long offset, long bytes) {
            all.populate(offset, bytes);
        }

        @Override
        public void bind(long offset, long bytes, Policy policy, long hostNodes, boolean move) {
            all.bind(offset, bytes, policy, hostNodes, move);
        }

        @Override
        public long residentBytes() {
            return length;
        }

        @Override
        public void close() {
            all.close();
        }
    }

    private static long walk(GuestMemory m, long cr3, long address) {
        long pml4e = m.getLong(cr3 + 8 * ((address >>> 39) & 511));
        long pdpte = m.getLong((pml4e & -4096) + 8 * ((address >>> 30) & 511));
        long pde = m.getLong((pdpte & -4096) + 8 * ((address >>> 21) & 511));
        assertThat(pml4e & pdpte & pde & 3).isEqualTo(3);
        assertThat(pde & 0x80).as("2 MiB page").isNotZero();
        return (pde & -(2 * MIB)) + (address & (2 * MIB - 1));
    }

    @Test
    void elfSegmentsGoToTheirPhysicalAddresses() {
        var plan = AddressSpacePlan.single(64 * MIB);
        try (var test = new TestMemory(plan)) {
            GuestMemory m = test.memory;
            m.putLong(0x120_1000, -1); // from an earlier run
            BootLayout layout = boot(Kernels.elf(), plan).build().load(m, NO_SEED);
            assertThat(layout.entry().rip()).isEqualTo(0x100_0040);
            assertThat(m.getByte(0x100_1FFF)).isEqualTo((byte) 0xA5);
            assertThat(m.getByte(0x120_0FFF)).isEqualTo((byte) 0xA5);
            assertThat(m.getLong(0x120_1000)).isZero();
            assertThat(m.getInt(0x7000 + 0x202)).isEqualTo(0x53726448);
        }
    }

    @Test
    void aRelocatableKernelMovesWhereThereIsRoom() {
        var plan = AddressSpacePlan.single(16 * MIB);
        try (var test = new TestMemory(plan)) {
            BootLayout layout = boot(Kernels.bzImage(0x10000), plan).build().load(test.memory, NO_SEED);
            assertThat(layout.kernelAddress()).isEqualTo(2 * MIB);
            assertThat(layout.entry().rip()).isEqualTo(2 * MIB + 0x200);
        }
        byte[] fixed = Kernels.bzImage(0x10000);
        fixed[0x234] = 0;
        try (var test = new TestMemory(plan)) {
            LinuxBoot boot = boot(fixed, plan).build();
            assertThatThrownBy(() -> boot.load(test.memory, NO_SEED)).satisfies(e -> code(e, "boot-memory"));
        }
    }

    @Test
    void initrdStaysClearOfTheKernelAndBelowItsLimit() {
        byte[] kernel = Kernels.bzImage(0x10000);
        Kernels.fields(kernel).putInt(0x260, 40 << 20).putInt(0x22C, (int) (60 * MIB) - 1);
        var plan = AddressSpacePlan.single(64 * MIB);
        try (var test = new TestMemory(plan)) {
            BootLayout layout = boot(kernel, plan)
                    .initrd(Initrd.of(ByteSource.of("initrd", bytes(4096, 1))))
                    .build()
                    .load(test.memory, NO_SEED);
            assertThat(layout.initrdAddress()).hasValue(60 * MIB - 4096);
            // 4 MiB are left above the kernel, 15 MiB below it; what is larger fits neither.
            layout = boot(kernel, plan)
                    .initrd(Initrd.of(ByteSource.of("initrd", bytes(10 << 20, 1))))
                    .build()
                    .load(test.memory, NO_SEED);
            assertThat(layout.initrdAddress()).hasValue(6 * MIB);
            LinuxBoot tooMuch = boot(kernel, plan)
                    .initrd(Initrd.of(ByteSource.of("initrd", bytes(16 << 20, 1))))
                    .build();
            assertThatThrownBy(() -> tooMuch.load(test.memory, NO_SEED))
                    .satisfies(e -> code(e, "boot-memory"))
                    .hasMessageContaining("16777216");
        }
    }

    @Test
    void joinedInitrdsBeginAtMultiplesOfFour() {
        var joined = Initrd.concat(
                List.of(Initrd.of(ByteSource.of("a", bytes(5, 0xAA))), Initrd.of(ByteSource.of("b", bytes(3, 0xBB)))));
        assertThat(joined.length()).isEqualTo(11);
        var plan = AddressSpacePlan.single(2 * MIB);
        try (var test = new TestMemory(plan)) {
            test.memory.putLong(0x1000, -1);
            joined.writeTo(test.memory, 0x1000);
            byte[] got = new byte[11];
            test.memory.read(0x1000, got);
            assertThat(got).isEqualTo(new byte[] {-86, -86, -86, -86, -86, 0, 0, 0, -69, -69, -69});
        }
    }

    @Test
    void commandLineIsMeasuredAgainstTheKernelsLimit() {
        var plan = AddressSpacePlan.single(64 * MIB);
        LinuxBoot.Builder b = boot(Kernels.bzImage(0x10000), plan).commandLine("x".repeat(2047));
        b.build();
        assertThatThrownBy(() -> b.commandLine("x".repeat(2048)).build())
                .satisfies(e -> code(e, "command-line"))
                .hasMessageContaining("2048 bytes")
                .hasMessageContaining("2047");
        assertThatThrownBy(() -> b.commandLine("a\0b").build()).satisfies(e -> code(e, "command-line"));
    }

    @Test
    void aChangedFileIsRefusedNotHalfLoaded(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("vmlinuz");
        Files.write(file, Kernels.bzImage(0x10000));
        var plan = AddressSpacePlan.single(64 * MIB);
        LinuxBoot boot = LinuxBoot.builder()
                .kernel(KernelImage.read(file))
                .memory(plan)
                .cpus(CpuTopology.flat(1))
                .platform(PLATFORM)
                .build();
        try (var test = new TestMemory(plan)) {
            boot.load(test.memory, NO_SEED);
            assertThat(test.memory.getByte(0x100_FFFF)).isEqualTo((byte) 0x5A);
            Files.write(file, Arrays.copyOf(Kernels.bzImage(0x10000), 0x8000));
            assertThatThrownBy(() -> boot.load(test.memory, NO_SEED))
                    .satisfies(e -> code(e, "kernel-image"))
                    .hasMessageContaining("cut short");
            Files.write(file, Kernels.bzImage(0x20000));
            assertThatThrownBy(() -> boot.load(test.memory, NO_SEED)).satisfies(e -> code(e, "kernel-changed"));
            Files.delete(file);
            assertThatThrownBy(() -> boot.load(test.memory, NO_SEED)).satisfies(e -> code(e, "kernel-missing"));
        }
    }

    @Test
    void manyEntriesSpillIntoSetupData() {
        var map = new ArrayList<E820Entry>();
        for (int i = 0; i < 200; i++) {
            map.add(new E820Entry(i * 4L * MIB, 2 * MIB, E820Entry.Type.USABLE));
        }
        var page = new ZeroPage(
                Kernels.read(Kernels.bzImage(0x10000)).setupHeader(), map, bytes(32, 1), 0xF_0000, 0x2_0008);
        var zero = Kernels.fields(page.page());
        assertThat(zero.get(0x1E8)).isEqualTo((byte) 128);
        assertThat(zero.getLong(0x070)).as("RSDP").isEqualTo(0xF_0000);
        var data = Kernels.fields(page.setupData());
        int at = (int) (zero.getLong(0x250) - 0x2_0008);
        assertThat(data.getInt(at + 8)).as("SETUP_E820_EXT").isEqualTo(1);
        assertThat(data.getInt(at + 12)).isEqualTo(72 * 20);
        assertThat(data.getLong(at + 16)).isEqualTo(128 * 4 * MIB);
        int next = (int) (data.getLong(at) - 0x2_0008);
        assertThat(data.getInt(next + 8)).isEqualTo(9);
        assertThat(data.getLong(next)).isZero();
    }

    @Test
    void largeTablesGoToTheEndOfLowMemory() {
        var plan = AddressSpacePlan.builder().node(64 * MIB).addressBits(46).build();
        try (var test = new TestMemory(plan)) {
            BootLayout layout = boot(Kernels.bzImage(0x10000), plan)
                    .cpus(CpuTopology.flat(4096))
                    .numa(NumaDescription.uniform(2))
                    .initrd(Initrd.of(ByteSource.of("initrd", bytes(4096, 1))))
                    .build()
                    .load(test.memory, NO_SEED);
            assertThat(layout.acpiAddress()).isEqualTo(64 * MIB - ((layout.acpiLength() + 4095L) & -4096));
            assertThat(layout.memoryMap().getLast().type()).isEqualTo(E820Entry.Type.ACPI);
            assertThat(layout.memoryMap().getLast().end()).isEqualTo(64 * MIB);
            assertThat(layout.initrdAddress()).hasValue(layout.acpiAddress() - 4096);
            assertThat(test.memory.getInt(layout.acpiAddress())).as("DSDT").isEqualTo(0x54445344);
        }
    }

    @Test
    void twoDevicesOfOneNameAreRefused() {
        var plan = AddressSpacePlan.single(64 * MIB);
        var device = new AcpiDevice("COM1", "PNP0501", 0, List.of());
        try (var test = new TestMemory(plan)) {
            LinuxBoot boot = boot(Kernels.bzImage(0x10000), plan)
                    .devices(List.of(device, device))
                    .build();
            assertThatThrownBy(() -> boot.load(test.memory, NO_SEED)).hasMessageContaining("COM1");
        }
    }

    private static void code(Throwable e, String code) {
        assertThat(e)
                .isInstanceOfSatisfying(
                        HypervisorException.class, x -> assertThat(x.code()).isEqualTo(code));
    }
}

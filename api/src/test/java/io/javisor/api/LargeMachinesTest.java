package io.javisor.api;

import static io.javisor.api.MemorySize.gib;
import static io.javisor.api.MemorySize.mib;
import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.kvm.partition.KvmPartition;
import io.javisor.kvm.partition.LongModeEntry;
import io.javisor.kvm.partition.MemfdBacking;
import io.javisor.kvm.partition.PartitionConfig;
import io.javisor.kvm.partition.PartitionListener;
import io.javisor.linux.PageSize;
import io.javisor.numa.NumaTopology;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.MemoryBacking;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.bus.IoDevice;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.CpuTopology;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Machines of many vCPUs and much memory over several nodes, whose guests of a few bytes use all of them. */
@Timeout(600)
class LargeMachinesTest {
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    /**
     * The boot vCPU copies the others' code to 0x8000, turns x2APIC on, and wakes all others at once (INIT and SIPI to all but
     * itself). Each vCPU adds one to the byte at 0x60000 plus its APIC ID, as CPUID leaf 0xB tells it, and to the sum at
     * 0x40000. When the sum is complete the boot vCPU prints the bytes as digits and powers off.
     */
    @SuppressWarnings("InlineFormatString") // a program of its own
    private static final String EVERY_VCPU = """
        48 8d 35 7e 00 00 00          # lea rsi, [rip + ap]
        bf 00 80 00 00                # mov edi, 0x8000
        b9 40 00 00 00                # mov ecx, 64
        f3 a4                         # rep movsb
        b9 1b 00 00 00                # mov ecx, 0x1b             IA32_APIC_BASE
        0f 32                         # rdmsr
        0d 00 0c 00 00                # or eax, 0xc00             enabled, x2APIC
        0f 30                         # wrmsr
        b8 0b 00 00 00                # mov eax, 0xb
        31 c9                         # xor ecx, ecx
        0f a2                         # cpuid
        f0 fe 82 00 00 06 00          # lock inc byte [rdx + 0x60000]
        f0 ff 04 25 00 00 04 00       # lock inc dword [0x40000]
        31 d2                         # xor edx, edx
        b9 30 08 00 00                # mov ecx, 0x830            interrupt command
        b8 00 45 0c 00                # mov eax, 0xc4500          INIT, all but self
        0f 30                         # wrmsr
        b8 08 46 0c 00                # mov eax, 0xc4608          SIPI to 0x8000, all but self
        0f 30                         # wrmsr
        f3 90                         # wait: pause
        81 3c 25 00 00 04 00 %s # cmp dword [0x40000], vCPUs
        72 f1                         # jb wait
        31 db                         # xor ebx, ebx
        ba f8 03 00 00                # mov edx, 0x3f8
        8a 83 00 00 06 00             # next: mov al, [rbx + 0x60000]
        04 30                         # add al, '0'
        ee                            # out dx, al
        ff c3                         # inc ebx
        81 fb %s             # cmp ebx, APIC IDs
        75 ed                         # jne next
        b0 0a                         # mov al, 10
        ee                            # out dx, al
        ba 00 06 00 00                # mov edx, 0x600            ACPI sleep control
        b0 34                         # mov al, 0x34              S5, now
        ee                            # out dx, al
        f4                            # stop: hlt
        eb fd                         # jmp stop
        b8 00 40                      # ap: mov ax, 0x4000        in real mode from here
        8e d8                         # mov ds, ax
        b8 00 60                      # mov ax, 0x6000
        8e c0                         # mov es, ax
        66 b8 0b 00 00 00             # mov eax, 0xb
        66 31 c9                      # xor ecx, ecx
        0f a2                         # cpuid
        26 67 f0 fe 02                # lock inc byte es:[edx]
        66 f0 ff 06 00 00             # lock inc dword ds:[0]
        f4                            # rest: hlt
        eb fd                         # jmp rest
        """;

    /** Puts a number of its own into each of a list of addresses, then reads them all: a plus for each that is right. */
    private static final byte[] EVERY_END = TinyElf.program("""
        b8 00 00 20 00                # mov eax, 0x200000         page tables
        0f 22 d8                      # mov cr3, rax
        be 00 00 30 00                # mov esi, 0x300000         the list
        49 b8 15 7c 4a 7f b9 79 37 9e # mov r8, 0x9e3779b97f4a7c15
        48 ad                         # write: lodsq
        48 85 c0                      # test rax, rax
        78 0c                         # js check
        48 89 c3                      # mov rbx, rax
        49 0f af d8                   # imul rbx, r8
        48 89 18                      # mov [rax], rbx
        eb ed                         # jmp write
        be 00 00 30 00                # check: mov esi, 0x300000
        ba f8 03 00 00                # mov edx, 0x3f8
        48 ad                         # read: lodsq
        48 85 c0                      # test rax, rax
        78 13                         # js done
        48 89 c3                      # mov rbx, rax
        49 0f af d8                   # imul rbx, r8
        48 39 18                      # cmp [rax], rbx
        b0 2b                         # mov al, '+'
        74 02                         # je say
        b0 2d                         # mov al, '-'
        ee                            # say: out dx, al
        eb e6                         # jmp read
        b0 0a                         # done: mov al, 10
        ee                            # out dx, al
        ba 00 06 00 00                # mov edx, 0x600            ACPI sleep control
        b0 34                         # mov al, 0x34              S5, now
        ee                            # out dx, al
        f4                            # stop: hlt
        eb fd                         # jmp stop
        """);

    private static final int TABLES = 0x20_0000;
    private static final int LIST = 0x30_0000;
    private static final int GDT = 0x500;
    private static final int PAGE = 4096;
    private static final long LARGE_PAGE = 2L << 20;
    private static final long PRESENT_WRITABLE = 3;
    private static final long LARGE = 0x80;

    @TempDir
    Path folder;

    @BeforeEach
    void needsKvm() {
        TinyKernel.assumeKvm();
    }

    private static String bytes(int value) {
        return "%02x %02x %02x %02x".formatted(value & 0xFF, value >> 8 & 0xFF, value >> 16 & 0xFF, value >>> 24);
    }

    private void everyVcpuRuns(NumaTopology topology) {
        CpuTopology cpus = topology.cpuTopology();
        int ids = cpus.maxApicId() + 1;
        Path kernel = TinyElf.write(
                folder.resolve("every-vcpu"),
                TinyElf.program(EVERY_VCPU.formatted(bytes(topology.vcpus()), bytes(ids))),
                0x20_0000,
                new byte[8]);
        var expected = new StringBuilder("0".repeat(ids));
        for (int v = 0; v < topology.vcpus(); v++) {
            expected.setCharAt(cpus.apicId(v), '1');
        }
        try (VirtualMachine vm = VirtualMachine.builder("many")
                .numa(topology)
                .linux(l -> l.kernel(kernel))
                .build()) {
            assertThat(vm.start().awaitStop(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
            assertThat(vm.console().text()).isEqualTo(expected + "\n");
        }
    }

    @Test
    void aThousandVcpusOverSixteenNodes() {
        everyVcpuRuns(NumaTopology.of(t -> {
            for (int i = 0; i < 16; i++) {
                t.node(n -> n.vcpus(64).memory(mib(16)));
            }
        }));
    }

    /** The largest node decides how far sockets are apart: APIC IDs have gaps, and go up to 1,030. */
    @Test
    void unequalNodesBeyondXapic() {
        everyVcpuRuns(NumaTopology.of(t -> t.node(n -> n.vcpus(257).memory(mib(32)))
                .node(n -> n.vcpus(1))
                .node(n -> n.vcpus(7).memory(mib(2)))));
    }

    private void everyEndIsTouched(NumaTopology topology, int addressBits) {
        AddressSpacePlan plan =
                topology.addressSpace(n -> 0).addressBits(addressBits).build();
        List<Long> ends = new ArrayList<>();
        for (int n = 0; n < topology.nodes().size(); n++) {
            int node = n;
            List<AddressSpacePlan.Range> own =
                    plan.bootMemory().stream().filter(r -> r.node() == node).toList();
            // The last word of the first page, for the first page of all holds what the loader wrote.
            ends.add(own.getFirst().gpa() + PAGE - Long.BYTES);
            ends.add(own.getLast().end() - Long.BYTES);
        }
        try (VirtualMachine vm = VirtualMachine.builder("large")
                .numa(topology)
                .linux(l ->
                        l.kernel(TinyElf.write(folder.resolve("every-end"), EVERY_END, TABLES, tablesAndList(ends))))
                .build()) {
            assertThat(vm.start().awaitStop(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
            assertThat(vm.console().text()).isEqualTo("+".repeat(ends.size()) + "\n");
        }
    }

    /** Page tables that map the first 4 MiB and the pages of 2 MiB around the addresses, and the list of these, ended by −1. */
    private static byte[] tablesAndList(List<Long> addresses) {
        ByteBuffer b = ByteBuffer.allocate(LIST - TABLES + Long.BYTES * (addresses.size() + 1))
                .order(ByteOrder.LITTLE_ENDIAN);
        int[] used = {1};
        Stream.concat(Stream.of(0L, LARGE_PAGE), addresses.stream()).forEach(address -> {
            int pointers = table(b, 0, address >>> 39, used);
            int directory = table(b, pointers, address >>> 30, used);
            b.putLong(directory + slot(address >>> 21), address & -LARGE_PAGE | LARGE | PRESENT_WRITABLE);
        });
        assertThat(used[0] * PAGE).isLessThan(LIST - TABLES);
        b.position(LIST - TABLES);
        addresses.forEach(b::putLong);
        b.putLong(-1);
        return b.array();
    }

    private static int slot(long index) {
        return (int) (index & 511) * Long.BYTES;
    }

    /** Where the table lies that an entry of another leads to; made if there is none. */
    private static int table(ByteBuffer b, int parent, long index, int[] used) {
        int at = parent + slot(index);
        if (b.getLong(at) == 0) {
            b.putLong(at, TABLES + (long) used[0]++ * PAGE | PRESENT_WRITABLE);
        }
        return (int) (b.getLong(at) & -PAGE) - TABLES;
    }

    @Test
    void sixtyFourGibibytesOverThreeNodes() {
        everyEndIsTouched(
                NumaTopology.of(t -> t.node(n -> n.vcpus(1).memory(gib(7) + mib(2)))
                        .node(n -> n.memory(gib(40)))
                        .node(n -> n.memory(gib(17) - mib(514)))),
                46);
    }

    /** Memory slots of so much take 2.5 GiB of a host without two-dimensional paging. */
    @Test
    @Tag("long")
    void aTebibyteOverFourNodes() {
        everyEndIsTouched(
                NumaTopology.of(t -> {
                    t.node(n -> n.vcpus(1).memory(gib(256)));
                    for (int i = 1; i < 4; i++) {
                        t.node(n -> n.memory(gib(256)));
                    }
                }),
                46);
    }

    /**
     * 512 GiB of memory in slots, addresses for 11.5 TiB more: only what is there takes slots, and each of the two nodes can get
     * memory at the far end of its window while the guest runs.
     */
    @Test
    @Tag("long")
    void twelveTebibytesPlannedHalfATebibyteThere() throws Exception {
        AddressSpacePlan plan = AddressSpacePlan.builder()
                .node(gib(256), gib(5632))
                .node(gib(256), gib(6144))
                .growthAlignment(gib(2))
                .addressBits(46)
                .build();
        List<Long> ends = new ArrayList<>();
        List<MemoryRegion> regions = new ArrayList<>();
        try (MemoryBacking zero = MemfdBacking.reserve("zero", plan.backingBytes(0), PageSize.KIB_4);
                MemoryBacking one = MemfdBacking.reserve("one", plan.backingBytes(1), PageSize.KIB_4)) {
            for (AddressSpacePlan.Range r : plan.ranges()) {
                MemoryBacking backing = r.node() == 0 ? zero : one;
                if (r.kind() == AddressSpacePlan.Kind.BOOT_MEMORY) {
                    regions.add(new MemoryRegion(r.gpa(), r.length(), r.node(), backing, r.backingOffset()));
                    ends.add(r.gpa() + PAGE - Long.BYTES);
                    ends.add(r.end() - Long.BYTES);
                } else if (r.kind() == AddressSpacePlan.Kind.GROWTH_WINDOW) {
                    long last = r.length() - mib(128);
                    regions.add(
                            new MemoryRegion(r.gpa() + last, mib(128), r.node(), backing, r.backingOffset() + last));
                    ends.add(r.end() - Long.BYTES);
                }
            }
            assertThat(plan.ranges().getLast().end()).isGreaterThan(12L << 40);
            assertThat(regions.stream().mapToLong(MemoryRegion::length).sum()).isEqualTo(gib(512) + mib(256));
            assertThat(printedBy(regions, ends)).isEqualTo("+".repeat(ends.size()) + "\n");
        }
    }

    /** What a bare partition's guest prints. */
    @SuppressWarnings("JdkObsolete") // written by the vCPU's thread, read by this one
    private static String printedBy(List<MemoryRegion> regions, List<Long> ends) throws InterruptedException {
        var text = new StringBuffer();
        var over = new CountDownLatch(1);
        var config = new PartitionConfig("grown", List.of(0), (vcpu, supported) -> supported.get(), false, Set.of());
        try (KvmPartition partition = KvmPartition.create(config, new Failing(text, over), regions)) {
            partition.ports().claim("serial", 0x3F8, 8, new Written(value -> text.append((char) value)));
            partition.ports().claim("power", 0x600, 8, new Written(value -> over.countDown()));
            partition.memory().write(TinyElf.CODE, EVERY_END);
            partition.memory().write(TABLES, tablesAndList(ends));
            partition.memory().write(GDT, new byte[16]);
            partition.memory().putLong(GDT + 0x10, 0x00AF_9B00_0000_FFFFL); // code, 64 bits
            partition.memory().putLong(GDT + 0x18, 0x00CF_9300_0000_FFFFL); // data
            partition.setEntry(new LongModeEntry(TinyElf.CODE, 0, 0x8000, TABLES, GDT, 0x1F, 0x10, 0x18));
            partition.start();
            assertThat(over.await(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as("%s", text)
                    .isTrue();
        }
        return text.toString();
    }

    private record Written(IntConsumer to) implements IoDevice {
        @Override
        public long read(long offset, int size) {
            return 0;
        }

        @Override
        public void write(long offset, int size, long value) {
            to.accept((int) value);
        }
    }

    private record Failing(StringBuffer text, CountDownLatch over) implements PartitionListener {
        @Override
        public void tripleFault(int vcpu, String registers) {
            text.append(registers);
            over.countDown();
        }

        @Override
        public void crashed(int vcpu, long[] parameters, String message) {
            text.append(message);
        }

        @Override
        public void failed(int vcpu, HypervisorException error) {
            text.append(error);
            over.countDown();
        }
    }
}

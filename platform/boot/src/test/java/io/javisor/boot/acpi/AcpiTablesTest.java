package io.javisor.boot.acpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.CpuTopology;
import io.javisor.partition.topology.NumaDescription;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Reads the tables as a guest does, from the bytes. Offsets are those of the sections of ACPI 6.5 that the tables name. */
class AcpiTablesTest {
    private static ByteBuffer bytes(AcpiTables tables, String signature) {
        return ByteBuffer.wrap(Machines.table(tables, signature).bytes()).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Test
    void everyTableIsFoundFromTheRsdpAndSumsToZero() {
        AcpiTables tables = Machines.rich();
        ByteBuffer all = ByteBuffer.wrap(tables.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer rsdp = ByteBuffer.wrap(tables.rsdp()).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(sum(rsdp, 0, 20)).isZero();
        assertThat(sum(rsdp, 0, 36)).isZero();
        assertThat(rsdp.getLong(0)).isEqualTo(0x2052545020445352L); // "RSD PTR "

        int xsdt = (int) (rsdp.getLong(24) - Machines.BASE);
        assertThat(signature(all, xsdt)).isEqualTo("XSDT");
        var found = new ArrayList<String>();
        for (int at = xsdt + 36; at < xsdt + all.getInt(xsdt + 4); at += 8) {
            int table = (int) (all.getLong(at) - Machines.BASE);
            assertThat(table % 8).isZero();
            assertThat(sum(all, table, table + all.getInt(table + 4))).isZero();
            found.add(signature(all, table));
        }
        assertThat(found).containsExactly("FACP", "APIC", "SRAT", "SLIT", "HMAT");
        ByteBuffer fadt = bytes(tables, "FACP");
        assertThat(fadt.capacity()).isEqualTo(276);
        assertThat(signature(all, (int) (fadt.getLong(140) - Machines.BASE))).isEqualTo("DSDT");
        assertThat(fadt.getInt(40)).isEqualTo((int) fadt.getLong(140));
    }

    @Test
    void fadtNamesTheRegisters() {
        ByteBuffer fadt = bytes(Machines.simple(), "FACP");
        assertThat(fadt.get(8)).as("revision").isEqualTo((byte) 6);
        assertThat(fadt.get(108)).as("century").isEqualTo((byte) 0x32);
        assertThat(fadt.getShort(109)).as("boot architecture").isEqualTo((short) 0x04);
        assertThat(fadt.getInt(112)).as("flags").isEqualTo(1 << 20 | 1 << 10 | 1 << 5 | 1 << 4 | 1);
        assertThat(fadt.getInt(116)).as("I/O, 8 bits, byte access").isEqualTo(0x01000801);
        assertThat(fadt.getLong(120)).as("reset").isEqualTo(0x602);
        assertThat(fadt.get(128)).isEqualTo((byte) 1);
        assertThat(fadt.getLong(248)).as("sleep control").isEqualTo(0x600);
        assertThat(fadt.getLong(260)).as("sleep status").isEqualTo(0x601);
    }

    @Test
    void withoutAClockTheFadtSaysSo() {
        var none = new AcpiPlatform(0x600, 0x601, 0x602, 1, 5, 0);
        var fadt = ByteBuffer.wrap(Fadt.render(none, 0xE1000).bytes()).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(fadt.getShort(109)).isEqualTo((short) 0x24);
    }

    @Test
    void madtListsVcpusInOrder() {
        ByteBuffer madt = bytes(Machines.rich(), "APIC");
        assertThat(madt.getInt(36)).isEqualTo(0xFEE00000);
        assertThat(madt.getInt(40)).as("no 8259").isZero();
        var ids = new ArrayList<Integer>();
        int ioApics = 0;
        for (int at = 44; at < madt.capacity(); at += madt.get(at + 1) & 0xFF) {
            switch (madt.get(at)) {
                case 0 -> {
                    assertThat(madt.getInt(at + 4)).isEqualTo(1);
                    ids.add(madt.get(at + 3) & 0xFF);
                    assertThat(ids.getLast()).isLessThan(255);
                }
                case 9 -> {
                    assertThat(madt.getInt(at + 8)).isEqualTo(1);
                    assertThat(madt.getInt(at + 12)).isEqualTo(ids.size());
                    ids.add(madt.getInt(at + 4));
                    assertThat(ids.size())
                            .as("UIDs past 254 need x2APIC structures")
                            .isPositive();
                }
                case 1 -> ioApics++;
                default -> assertThat(madt.get(at)).isIn((byte) 4, (byte) 10);
            }
        }
        assertThat(ioApics).isEqualTo(1);
        // 2 sockets × 80 cores × 2 threads: the second socket begins at 256.
        assertThat(ids).hasSize(320).startsWith(0, 1, 2).endsWith(256 + 157, 256 + 158, 256 + 159);
    }

    @Test
    void sratPutsEverythingOnItsNode() {
        ByteBuffer srat = bytes(Machines.rich(), "SRAT");
        int[] vcpus = new int[4];
        var met = new LinkedHashSet<Integer>();
        var memory = new ArrayList<List<Long>>();
        var initiators = new ArrayList<Integer>();
        for (int at = 48; at < srat.capacity(); at += srat.get(at + 1) & 0xFF) {
            switch (srat.get(at)) {
                case 0 -> {
                    met.add((int) srat.get(at + 2));
                    vcpus[srat.get(at + 2)] += srat.get(at + 3) == (byte) 0xFF ? 0 : 1;
                }
                case 2 -> {
                    met.add(srat.getInt(at + 4));
                    vcpus[srat.getInt(at + 4)]++;
                }
                case 1 ->
                    memory.add(List.of((long) srat.getInt(at + 2), srat.getLong(at + 8), srat.getLong(at + 16), (long)
                            srat.getInt(at + 28)));
                case 5 -> {
                    met.add(srat.getInt(at + 4));
                    initiators.add(srat.getInt(at + 4));
                }
                default -> throw new AssertionError("type " + srat.get(at));
            }
        }
        assertThat(vcpus).containsExactly(160, 160, 0, 0);
        assertThat(memory)
                .containsExactly(
                        List.of(0L, 0L, 3 * Machines.GIB, 1L),
                        List.of(0L, 4 * Machines.GIB, Machines.GIB, 1L),
                        List.of(2L, 5 * Machines.GIB, 10 * Machines.GIB, 3L));
        assertThat(initiators).containsExactly(3);
        // Linux meets processors and initiators first, and numbers nodes as it meets them.
        assertThat(met).containsExactly(0, 1, 2, 3);
    }

    @Test
    void nobodysApicIdIsNamedOnlyWhereNodesWouldBeMisnumbered() {
        var plan =
                AddressSpacePlan.builder().node(Machines.GIB).node(Machines.GIB).build();
        assertThat(Srat.render(CpuTopology.uniform(2, 1, 1, 1, List.of(0, 1)), plan, List.of())
                        .bytes())
                .hasSize(48 + 2 * 16 + 2 * 40);
        assertThat(Srat.render(CpuTopology.uniform(2, 1, 1, 1, List.of(1, 0)), plan, List.of())
                        .bytes())
                .hasSize(48 + 4 * 16 + 2 * 40);
        // Processors on node 0 alone: memory comes next, in order.
        assertThat(Srat.render(CpuTopology.flat(1), plan, List.of()).bytes()).hasSize(48 + 16 + 2 * 40);
    }

    @Test
    void slitAndHmatSayWhatWasSaid() {
        ByteBuffer slit = bytes(Machines.rich(), "SLIT");
        assertThat(slit.getLong(36)).isEqualTo(4);
        assertThat(slit.get(44 + 1) & 0xFF).isEqualTo(21);
        assertThat(slit.get(44 + 3) & 0xFF).isEqualTo(255);
        assertThat(slit.get(44 + 4) & 0xFF).isEqualTo(22);

        ByteBuffer hmat = bytes(Machines.rich(), "HMAT");
        assertThat(hmat.get(8)).isEqualTo((byte) 2);
        var seen = new ArrayList<String>();
        for (int at = 40; at < hmat.capacity(); at += hmat.getInt(at + 4)) {
            if (hmat.getShort(at) == 0) {
                seen.add("memory %d at %d: %d"
                        .formatted(hmat.getInt(at + 16), hmat.getInt(at + 12), hmat.getShort(at + 8)));
            } else {
                int i = hmat.getInt(at + 12);
                int t = hmat.getInt(at + 16);
                long unit = hmat.getLong(at + 24);
                int matrix = at + 32 + 4 * (i + t);
                var values = new ArrayList<Long>();
                for (int k = 0; k < i * t; k++) {
                    values.add(unit * (hmat.getShort(matrix + 2 * k) & 0xFFFF));
                }
                seen.add("type " + hmat.get(at + 9) + ": " + values);
            }
        }
        assertThat(seen)
                .containsExactly(
                        "memory 0 at 0: 1",
                        "memory 2 at 0: 0",
                        "type 1: [80000, 100000, 80000, 100000]",
                        "type 2: [90000, 90000, 100000, 100000]",
                        "type 4: [400000, 402000, 400000, 402000]",
                        "type 5: [7000, 7000, 7000, 7000]");
    }

    @Test
    void aPlainMachineHasOneNodeAndNoDistances() {
        assertThat(Machines.simple().tables().stream().map(AcpiTable::signature))
                .containsExactly("DSDT", "FACP", "APIC", "SRAT", "XSDT");
    }

    @Test
    void nodesWithoutDescriptionAreRefused() {
        assertThatThrownBy(() -> AcpiTables.render(
                        Machines.BASE,
                        Machines.PLATFORM,
                        CpuTopology.uniform(2, 1, 1, 1, List.of(0, 1)),
                        NumaDescription.uniform(1),
                        AddressSpacePlan.single(Machines.GIB),
                        List.of()))
                .hasMessageContaining("node 1");
    }

    private static String signature(ByteBuffer b, int at) {
        byte[] s = new byte[4];
        b.get(at, s);
        return new String(s, StandardCharsets.US_ASCII);
    }

    private static int sum(ByteBuffer b, int start, int end) {
        byte sum = 0;
        for (int i = start; i < end; i++) {
            sum += b.get(i);
        }
        return sum;
    }
}

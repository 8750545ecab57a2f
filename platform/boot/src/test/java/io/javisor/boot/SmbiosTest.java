package io.javisor.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.partition.topology.AddressSpacePlan;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Walks the structures as DSP0134 section 6.1 tells a reader to. */
class SmbiosTest {
    private static final MachineIdentity IDENTITY =
            new MachineIdentity("db-01", UUID.fromString("00112233-4455-6677-8899-aabbccddeeff"));

    private record Structure(int type, int handle, ByteBuffer body, List<String> strings) {}

    private static List<Structure> walk(byte[] table) {
        var list = new ArrayList<Structure>();
        int at = 0;
        while (at < table.length) {
            int length = table[at + 1] & 0xFF;
            ByteBuffer body =
                    ByteBuffer.wrap(Arrays.copyOfRange(table, at, at + length)).order(ByteOrder.LITTLE_ENDIAN);
            int p = at + length;
            var strings = new ArrayList<String>();
            while (table[p] != 0) {
                int start = p;
                while (table[p] != 0) {
                    p++;
                }
                strings.add(new String(table, start, p - start, StandardCharsets.US_ASCII));
                p++;
            }
            int next = strings.isEmpty() ? p + 2 : p + 1;
            int handle = body.getShort(2) & 0xFFFF;
            list.add(new Structure(table[at] & 0xFF, handle, body, strings));
            at = next;
        }
        assertThat(at).isEqualTo(table.length);
        return list;
    }

    @Test
    void structuresNameTheMachine() {
        var plan = AddressSpacePlan.builder()
                .node(2L << 30)
                .node(0)
                .node(64L << 30)
                .build();
        List<Structure> all = walk(Smbios.structures(IDENTITY, plan));
        assertThat(all.stream().map(Structure::type)).containsExactly(0, 1, 3, 16, 17, 17, 19, 19, 19, 127);
        assertThat(all.stream().map(Structure::handle)).doesNotHaveDuplicates();
        Structure system = all.get(1);
        assertThat(system.strings()).containsExactly("Javisor", "Virtual Machine", "db-01");
        // Little-endian in its first three fields.
        assertThat(HexFormat.of().formatHex(system.body().array(), 8, 24))
                .isEqualTo("33221100554477668899aabbccddeeff");
        ByteBuffer small = all.get(4).body();
        assertThat(small.getShort(12)).as("MiB").isEqualTo((short) 2048);
        ByteBuffer large = all.get(5).body();
        assertThat(large.getShort(12)).isEqualTo((short) 0x7FFF);
        assertThat(large.getInt(0x1C)).isEqualTo(65536);
    }

    @Test
    void entryPointSumsToZero() {
        byte[] entry = Smbios.entryPoint(1234, 0xF_0060);
        byte sum = 0;
        for (byte b : entry) {
            sum += b;
        }
        assertThat(sum).isZero();
        assertThat(new String(entry, 0, 5, StandardCharsets.US_ASCII)).isEqualTo("_SM3_");
        assertThat(ByteBuffer.wrap(entry).order(ByteOrder.LITTLE_ENDIAN).getLong(16))
                .isEqualTo(0xF_0060);
    }
}

package io.javisor.kvm.gdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Packets and requests, without a guest. */
class ProtocolTest {
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();

    private PacketStream stream(String bytes) {
        return new PacketStream(new ByteArrayInputStream(bytes.getBytes(StandardCharsets.ISO_8859_1)), sent);
    }

    private static String text(PacketStream stream) throws IOException {
        return Objects.requireNonNull(stream.read()).text();
    }

    private String sent() {
        return sent.toString(StandardCharsets.ISO_8859_1);
    }

    @Test
    void packetsAreTakenWithTheirEscapesAndAcknowledged() throws IOException {
        PacketStream stream = stream("+$m0,4#fd\003$X1:}\003}]#1d");
        assertThat(text(stream)).isEqualTo("m0,4");
        assertThat(Objects.requireNonNull(stream.read()).interrupt()).isTrue();
        assertThat(text(stream)).isEqualTo("X1:#}");
        assertThat(stream.read()).isNull();
        assertThat(sent()).isEqualTo("++");
    }

    @Test
    void whatIsBrokenIsAskedForAgain() throws IOException {
        PacketStream stream = stream("$g#00$g#67");
        assertThat(text(stream)).isEqualTo("g");
        assertThat(sent()).isEqualTo("-+");
    }

    @Test
    void answersAreEscapedAndSentAgainWhenAskedFor() throws IOException {
        PacketStream stream = stream("-");
        stream.write("a*b$c#d}e");
        String once = sent();
        // The sum of what is on the wire, modulo 256.
        String payload = once.substring(1, once.indexOf('#'));
        assertThat(payload).isEqualTo("a}\nb}\004c}\003d}]e");
        assertThat(once).endsWith("#%02x".formatted(payload.chars().sum() & 0xFF));
        assertThat(stream.read()).isNull();
        assertThat(sent()).isEqualTo(once + once);
    }

    @Test
    void packetsWithoutEndAreRefused() {
        assertThatThrownBy(() ->
                        stream("$" + "x".repeat(PacketStream.MOST_BYTES + 1)).read())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("more than");
        assertThatThrownBy(() -> stream("$abc").read()).isInstanceOf(IOException.class);
    }

    @Test
    void anyBytesAreAPacketOrAnErrorAndEnd() {
        Random random = new Random(7);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = new byte[random.nextInt(40)];
            random.nextBytes(bytes);
            PacketStream stream = stream("$" + new String(bytes, StandardCharsets.ISO_8859_1));
            try {
                while (stream.read() != null) {
                    // the next
                }
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("gdb");
            }
        }
    }

    @Test
    void actionsAreForThoseThatNoneBeforeNamed() {
        Resumption all = Resumption.parse("c", 3);
        assertThat(all.run().cardinality()).isEqualTo(3);
        assertThat(all.step().isEmpty()).isTrue();
        Resumption mixed = Resumption.parse("s:2;c", 3);
        assertThat(mixed.run().cardinality()).isEqualTo(3);
        assertThat(mixed.step().stream()).containsExactly(1);
        Resumption one = Resumption.parse("S05:3", 3);
        assertThat(one.run().stream()).containsExactly(2);
        assertThat(one.step().stream()).containsExactly(2);
        assertThatThrownBy(() -> Resumption.parse("c:9", 3)).isInstanceOf(GdbError.class);
        assertThatThrownBy(() -> Resumption.parse("r1,2", 3)).isInstanceOf(GdbError.class);
    }

    @Test
    void numbersAreLittleEndianOnTheWire() {
        assertThat(Hex.little(0x1122334455667788L, 8)).isEqualTo("8877665544332211");
        assertThat(Hex.little(0x0202, 4)).isEqualTo("02020000");
        assertThat(Hex.fromLittle(Hex.bytes("88776655"), 0, 4)).isEqualTo(0x55667788L);
        assertThatThrownBy(() -> Hex.bytes("123")).isInstanceOf(GdbError.class);
        assertThatThrownBy(() -> Hex.number("")).isInstanceOf(GdbError.class);
        assertThatThrownBy(() -> Hex.number("-1", 5)).isInstanceOf(GdbError.class);
    }

    @Test
    void registersHaveTheNumbersThatTheDescriptionGivesThem() {
        assertThat(Register.ALL).hasSize(65);
        assertThat(Register.ALL.get(16).name()).isEqualTo("rip");
        assertThat(Register.ALL.get(24).name()).isEqualTo("st0");
        assertThat(Register.ALL.get(40).name()).isEqualTo("xmm0");
        assertThat(Register.ALL.get(56).name()).isEqualTo("mxcsr");
        assertThat(Register.description()).contains("<architecture>i386:x86-64</architecture>");
    }
}

package io.javisor.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class MarkedInputStreamTest {
    private static final String MARKER = "#abab-end";

    private final List<Boolean> ends = new ArrayList<>();

    private MarkedInputStream marked(InputStream source) {
        return new MarkedInputStream(source, bytes(MARKER), ends::add);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Gives each piece by a read of its own, then the end. */
    private static InputStream pieces(String... texts) {
        Deque<byte[]> rest = new ArrayDeque<>();
        Arrays.stream(texts).map(MarkedInputStreamTest::bytes).forEach(rest::add);
        return new InputStream() {
            @Override
            public int read() {
                throw new AssertionError("not in use");
            }

            @Override
            public int read(byte[] target, int offset, int length) {
                byte[] next = rest.poll();
                if (next == null) {
                    return -1;
                }
                int n = Math.min(length, next.length);
                System.arraycopy(next, 0, target, offset, n);
                if (n < next.length) {
                    rest.addFirst(Arrays.copyOfRange(next, n, next.length));
                }
                return n;
            }
        };
    }

    @Test
    void endsAtTheMarkerWhereverItIsCut() throws IOException {
        String whole = "some#abab text #abab-en" + MARKER;
        for (int cut = 0; cut <= whole.length(); cut++) {
            MarkedInputStream stream = marked(pieces(whole.substring(0, cut), whole.substring(cut)));
            assertThat(stream.readAllBytes()).isEqualTo(bytes("some#abab text #abab-en"));
            assertThat(stream.read()).isEqualTo(-1);
        }
        assertThat(ends).hasSize(whole.length() + 1).containsOnly(false);
    }

    @Test
    void givesBytesAtOnceUnlessTheyMayBeginTheMarker() throws IOException {
        MarkedInputStream stream = marked(pieces("prompt> ", "x#ab", "c", MARKER));
        byte[] target = new byte[64];
        assertThat(stream.read(target)).isEqualTo(8);
        assertThat(stream.read(target)).isEqualTo(1);
        assertThat(stream.read(target)).isEqualTo(4);
        assertThat(new String(target, 0, 4, StandardCharsets.ISO_8859_1)).isEqualTo("#abc");
        assertThat(stream.read(target)).isEqualTo(-1);
    }

    @Test
    void passesLargeBinaryDataUnharmed() throws IOException {
        byte[] data = new byte[300_000];
        new Random(7).nextBytes(data);
        byte[] all = Arrays.copyOf(data, data.length + MARKER.length());
        System.arraycopy(bytes(MARKER), 0, all, data.length, MARKER.length());
        assertThat(marked(new ByteArrayInputStream(all)).readAllBytes()).isEqualTo(data);
    }

    @Test
    void tellsAnEndWithoutAMarker() throws IOException {
        MarkedInputStream stream = marked(pieces("half#aba"));
        assertThat(stream.readAllBytes()).isEqualTo(bytes("half#aba"));
        assertThat(ends).containsExactly(true);
    }

    @Test
    void passesOnFailuresAndEnds() {
        MarkedInputStream stream = marked(new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("gone");
            }

            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                throw new IOException("gone");
            }
        });
        assertThatThrownBy(stream::readAllBytes).isInstanceOf(IOException.class).hasMessage("gone");
        assertThat(ends).containsExactly(true);
    }

    @Test
    void closingReadsTheRest() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        MarkedInputStream stream =
                new MarkedInputStream(pieces("a", "b", "c" + MARKER), bytes(MARKER), _ -> end.countDown());
        assertThat(stream.read()).isEqualTo('a');
        stream.close();
        assertThat(end.await(10, TimeUnit.SECONDS)).isTrue();
    }
}

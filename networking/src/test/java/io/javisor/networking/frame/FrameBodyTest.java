package io.javisor.networking.frame;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Frames whose content lies elsewhere, in memory that somebody else may change. */
class FrameBodyTest {
    private final byte[] content = Frames.random(9000);
    private final Frame whole = Frames.tcp(Frames.A, Frames.B, "10.0.0.1", 1000, "10.0.0.2", 80, 7, 8, 0x18, content);
    private final byte[] bytes = whole.toByteArray();
    private final Frame frame = new Frame();

    /** Bytes in memory, some of them before the frame's. */
    private record Memory(MemorySegment all) implements FrameBody {
        static final int BEFORE = 44;

        static Memory of(byte[] frame, Arena arena) {
            MemorySegment all = arena.allocate(BEFORE + frame.length);
            MemorySegment.copy(frame, 0, all, ValueLayout.JAVA_BYTE, BEFORE, frame.length);
            return new Memory(all);
        }

        @Override
        public void copy(int from, MemorySegment into, long to, int count) {
            MemorySegment.copy(all, from, into, to, count);
        }

        @Override
        public boolean gather(int from, int count, Pieces to) {
            int half = count / 2;
            return to.add(all, from, half) && to.add(all, from + half, count - half);
        }
    }

    private static byte[] copied(Frame from) {
        byte[] into = new byte[from.length() + 2];
        from.copy(0, MemorySegment.ofArray(into), 1, from.length());
        return Arrays.copyOfRange(into, 1, into.length - 1);
    }

    @Test
    void whatWasLookedAtIsOnesOwn() {
        try (Arena arena = Arena.ofConfined()) {
            Memory guest = Memory.of(bytes, arena);
            frame.begin(bytes.length, guest, Memory.BEFORE);
            assertThat(frame.parse()).isTrue();
            assertThat(frame.held()).isEqualTo(Frame.HEADERS);
            assertThat(copied(frame)).isEqualTo(bytes);
            assertThat(frame.getByte(5000)).as("copied when it is looked at").isEqualTo(bytes[5000] & 0xFF);
            guest.all.fill((byte) 0);
            assertThat(frame.destinationPort()).isEqualTo(80);
            assertThat(frame.toByteArray()).isEqualTo(bytes);
        }
        assertThat(frame.toByteArray()).as("it is not looked for any more").isEqualTo(bytes);
    }

    @Test
    void allIsCopiedBeforeMoreThanTheHeadersIsChanged() {
        try (Arena arena = Arena.ofConfined()) {
            frame.begin(bytes.length, Memory.of(bytes, arena), Memory.BEFORE);
            assertThat(frame.parse()).isTrue();
            Checksums.open(frame);
            Checksums.close(frame);
            assertThat(Checksums.isRight(frame)).isTrue();
            frame.putShort(6000, 0x1234);
            assertThat(copied(frame)).isEqualTo(frame.toByteArray()).isNotEqualTo(bytes);
            frame.begin(bytes.length, Memory.of(bytes, arena), Memory.BEFORE);
            frame.setLength(400);
            assertThat(frame.toByteArray()).isEqualTo(Arrays.copyOf(bytes, 400));
        }
    }

    @Test
    void aTagIsTakenOutOfTheHeadersOnly() {
        byte[] tagged = new byte[bytes.length + 4];
        System.arraycopy(bytes, 0, tagged, 0, 12);
        System.arraycopy(Frames.hex("8100 6123"), 0, tagged, 12, 4);
        System.arraycopy(bytes, 12, tagged, 16, bytes.length - 12);
        try (Arena arena = Arena.ofConfined()) {
            frame.begin(tagged.length, Memory.of(tagged, arena), Memory.BEFORE);
            assertThat(frame.parse()).isTrue();
            assertThat(frame.vlan()).isEqualTo(0x123);
            assertThat(frame.held()).isEqualTo(Frame.HEADERS - 4);
            assertThat(copied(frame)).isEqualTo(bytes);
            assertThat(frame.toByteArray()).isEqualTo(bytes);
        }
    }

    @Test
    void whereItLiesIsTold() {
        try (Arena arena = Arena.ofConfined()) {
            Memory guest = Memory.of(bytes, arena);
            frame.begin(bytes.length, guest, Memory.BEFORE);
            byte[] joined = Arrays.copyOf(bytes, bytes.length);
            Arrays.fill(joined, frame.held(), joined.length, (byte) 0);
            List<Long> pieces = new ArrayList<>();
            int[] at = {frame.held()};
            assertThat(frame.gather(at[0], bytes.length - at[0], (memory, from, count) -> {
                        pieces.add(from);
                        MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, from, joined, at[0], (int) count);
                        at[0] += (int) count;
                        return true;
                    }))
                    .isTrue();
            assertThat(joined).isEqualTo(bytes);
            assertThat(pieces).hasSize(2).first().isEqualTo((long) Memory.BEFORE + Frame.HEADERS);
            assertThat(frame.gather(0, 1, (memory, from, count) -> true))
                    .as("headers are on the heap")
                    .isFalse();
            assertThat(frame.gather(Frame.HEADERS, 4, (memory, from, count) -> false))
                    .as("no room")
                    .isFalse();
        }
        assertThat(whole.gather(300, 1, (memory, from, count) -> true)).isFalse();
    }

    @Test
    void piecesOfALargeFrameLieWhereItLies() {
        try (Arena arena = Arena.ofConfined()) {
            frame.begin(bytes.length, Memory.of(bytes, arena), Memory.BEFORE);
            assertThat(frame.parse()).isTrue();
            frame.setMss(1460);
            Segments.setLengths(frame);
            int[] done = {0};
            frame.segments().cut(frame, piece -> {
                int n = piece.length() - piece.payload();
                assertThat(piece.held()).isEqualTo(n > 500 ? piece.payload() : piece.length());
                assertThat(copied(piece)).endsWith(Arrays.copyOfRange(content, done[0], done[0] + n));
                Checksums.close(piece);
                assertThat(Checksums.isRight(piece)).isTrue();
                done[0] += n;
            });
            assertThat(done[0]).isEqualTo(content.length);
            assertThat(frame.held()).as("nobody had to copy the whole").isEqualTo(Frame.HEADERS);
        }
    }

    @Test
    void shortFramesAreCopiedAtOnce() {
        byte[] few = Frames.udp(Frames.A, Frames.B, "10.0.0.1", 1, "10.0.0.2", 2, Frames.random(300))
                .toByteArray();
        try (Arena arena = Arena.ofConfined()) {
            frame.begin(few.length, Memory.of(few, arena), Memory.BEFORE);
        }
        assertThat(frame.held()).isEqualTo(few.length);
        assertThat(frame.parse()).isTrue();
        assertThat(frame.toByteArray()).isEqualTo(few);
    }
}

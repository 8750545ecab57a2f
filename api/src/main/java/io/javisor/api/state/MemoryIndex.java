package io.javisor.api.state;

import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * What is in a memory file: its blocks that are not all zero.
 *
 * @param size bytes of memory, a multiple of {@link #BLOCK}
 * @param compressed whether the blocks are deflated, one after another, rather than at their own places
 * @param blocks ascending
 */
record MemoryIndex(long size, boolean compressed, List<Block> blocks) {
    /** Bytes of a block: a huge page. */
    static final int BLOCK = 2 << 20;

    /** The most that deflating can add to a block, generously. */
    private static final int MOST_STORED = BLOCK + BLOCK / 8;

    private static final int ENTRY = 4 + 4 + 8 + 4;

    /** Most memory of a node: 8 TiB, that of a memory slot. */
    private static final long MOST_SIZE = 8L << 40;

    /**
     * A block.
     *
     * @param number which: its memory begins at {@code number × BLOCK}
     * @param crc CRC-32C of its memory
     * @param position where in the file it begins
     * @param stored bytes that it takes there
     */
    record Block(int number, int crc, long position, int stored) {
        long offset() {
            return (long) number * BLOCK;
        }
    }

    MemoryIndex {
        blocks = List.copyOf(blocks);
    }

    static String leafName(int node) {
        return "memory-" + node;
    }

    String fileName(int node) {
        return "memory-" + node + (compressed ? ".z" : ".img");
    }

    /** Bytes that the file must have. */
    long fileSize() {
        if (!compressed) {
            return size;
        }
        return blocks.isEmpty() ? 0 : blocks.getLast().position + blocks.getLast().stored;
    }

    Leaf leaf(int node) {
        ByteBuffer list = ByteBuffer.allocate(blocks.size() * ENTRY);
        blocks.forEach(
                b -> list.putInt(b.number).putInt(b.crc).putLong(b.position).putInt(b.stored));
        StateWriter out = new StateWriter()
                .put("size", size)
                .put("compressed", compressed)
                .put("blocks", list.array());
        return new Leaf(leafName(node), 1, out.toByteArray());
    }

    /** Reads an index; every block lies within the memory and the file, and none overlap. */
    static MemoryIndex of(StateReader in) {
        in.requireVersion(1);
        long size = in.getLong("size");
        if (size < BLOCK || size > MOST_SIZE || size % BLOCK != 0) {
            throw new StateException("memory: a node of " + size + " bytes");
        }
        boolean compressed = in.getBoolean("compressed");
        byte[] list = in.getBytes("blocks");
        if (list.length % ENTRY != 0 || list.length / ENTRY > size / BLOCK) {
            throw new StateException("memory: " + list.length + " bytes are no list of blocks");
        }
        var blocks = new ArrayList<Block>();
        int least = 0;
        long position = 0;
        for (ByteBuffer b = ByteBuffer.wrap(list); b.hasRemaining(); ) {
            var block = new Block(b.getInt(), b.getInt(), b.getLong(), b.getInt());
            boolean placed = compressed
                    ? block.position == position && block.stored > 0 && block.stored <= MOST_STORED
                    : block.position == block.offset() && block.stored == BLOCK;
            if (block.number < least || block.number >= size / BLOCK || !placed) {
                throw new StateException("memory: impossible " + block);
            }
            least = block.number + 1;
            position = block.position + block.stored;
            blocks.add(block);
        }
        return new MemoryIndex(size, compressed, blocks);
    }
}

package io.javisor.boot.image;

import io.javisor.boot.image.RootTree.Attributes;
import io.javisor.boot.image.RootTree.Item;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveOutputStream;
import org.apache.commons.compress.archivers.cpio.CpioConstants;

/**
 * An image as cpio in the "newc" format (magic 070701), as the kernel's init/initramfs.c reads it. Inode numbers count from 1
 * in the order of writing. Hard links share an inode; the first carries the bytes, the others have size 0, which the kernel
 * links without truncating.
 */
final class CpioSink implements Sink {
    private static final long MAX_FILE = 0xFFFF_FFFFL; // sizes are 8 hexadecimal digits

    private final CpioArchiveOutputStream cpio;
    private final byte[] buffer = new byte[1 << 16];
    private long inode;

    CpioSink(OutputStream out) {
        cpio = new CpioArchiveOutputStream(out, CpioConstants.FORMAT_NEW, 512, StandardCharsets.UTF_8.name());
    }

    @Override
    public void folder(String path, Attributes attributes) throws IOException {
        inode++;
        CpioArchiveEntry entry = entry(path.isEmpty() ? "." : path, CpioConstants.C_ISDIR, attributes, 2, 0);
        cpio.putArchiveEntry(entry);
        cpio.closeArchiveEntry();
    }

    @Override
    public void file(List<String> paths, Attributes attributes, long size, InputStream content) throws IOException {
        if (size > MAX_FILE) {
            throw new ImageException(
                    "image-limit",
                    "\"" + ImageException.printable(paths.getFirst()) + "\" has " + size
                            + " bytes; a file in an initramfs has at most " + MAX_FILE,
                    "put it on a disk");
        }
        inode++;
        boolean first = true;
        for (String path : paths) {
            cpio.putArchiveEntry(entry(path, CpioConstants.C_ISREG, attributes, paths.size(), first ? size : 0));
            if (first) {
                copy(paths.getFirst(), size, content);
            }
            cpio.closeArchiveEntry();
            first = false;
        }
    }

    @Override
    public void special(List<String> paths, Attributes attributes, Item item) throws IOException {
        byte[] body = item instanceof Item.Symlink link ? link.target().getBytes(StandardCharsets.UTF_8) : new byte[0];
        long type = switch (item) {
            case Item.Symlink link -> CpioConstants.C_ISLNK;
            case Item.Device device -> device.block() ? CpioConstants.C_ISBLK : CpioConstants.C_ISCHR;
            case Item.Fifo fifo -> CpioConstants.C_ISFIFO;
            case Item.Regular regular -> throw new IllegalArgumentException("a regular file: " + paths);
        };
        // The kernel does not link names of anything but regular files with bodies; a copy is the same to the guest.
        for (String path : paths) {
            inode++;
            CpioArchiveEntry entry = entry(path, type, attributes, 1, body.length);
            if (item instanceof Item.Device device) {
                entry.setRemoteDeviceMaj(device.major());
                entry.setRemoteDeviceMin(device.minor());
            }
            cpio.putArchiveEntry(entry);
            cpio.write(body);
            cpio.closeArchiveEntry();
        }
    }

    @Override
    public void finish() throws IOException {
        cpio.finish();
        cpio.flush();
    }

    private CpioArchiveEntry entry(String path, long type, Attributes attributes, long links, long size) {
        CpioArchiveEntry entry = new CpioArchiveEntry(CpioConstants.FORMAT_NEW, path, size);
        entry.setMode(type | attributes.mode());
        entry.setInode(inode);
        entry.setNumberOfLinks(links);
        entry.setUID(attributes.uid());
        entry.setGID(attributes.gid());
        entry.setTime(attributes.modified());
        return entry;
    }

    private void copy(String path, long size, InputStream content) throws IOException {
        long left = size;
        while (left > 0) {
            int count = content.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (count < 0) {
                throw new ImageException(
                        "image-io",
                        "\"" + ImageException.printable(path) + "\" ended " + left + " bytes early, of " + size,
                        "it changed or is cut short: write the image again from files that stay as they are");
            }
            cpio.write(buffer, 0, count);
            left -= count;
        }
    }
}

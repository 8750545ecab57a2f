package io.javisor.boot.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveInputStream;

/** Reads an initramfs back, one line an entry: {@code path type+mode content}. */
final class CpioListing {
    private CpioListing() {}

    static List<String> of(Initramfs image) {
        return of(image.toBytes());
    }

    static List<String> of(byte[] bytes) {
        List<String> lines = new ArrayList<>();
        try (CpioArchiveInputStream cpio = new CpioArchiveInputStream(new ByteArrayInputStream(bytes))) {
            for (CpioArchiveEntry entry = cpio.getNextEntry(); entry != null; entry = cpio.getNextEntry()) {
                String content = new String(cpio.readAllBytes(), StandardCharsets.UTF_8);
                String device = entry.isCharacterDevice() || entry.isBlockDevice()
                        ? " " + entry.getRemoteDeviceMaj() + ":" + entry.getRemoteDeviceMin()
                        : "";
                lines.add(entry.getName() + " " + Long.toOctalString(entry.getMode()) + device
                        + (content.isEmpty() ? "" : " " + content));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return lines;
    }
}

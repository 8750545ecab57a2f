package io.javisor.storage.disk;

/** An image is damaged or of a kind that is not known: what is wrong, in which file, at which offset. */
public final class DiskFormatException extends DiskException {
    private static final long serialVersionUID = 1L;

    private final String file;
    private final long offset;

    /**
     * @param file name of the image
     * @param offset in it where the trouble is, in bytes
     * @param problem what is wrong there, with the values
     */
    public DiskFormatException(String file, long offset, String problem) {
        super(
                Kind.FORMAT,
                file + ": at offset 0x" + Long.toHexString(offset) + ": " + problem,
                "the image is damaged or of another format; restore it from a copy");
        this.file = file;
        this.offset = offset;
    }

    /** Name of the image. */
    public String file() {
        return file;
    }

    /** Where in it, in bytes. */
    public long offset() {
        return offset;
    }
}

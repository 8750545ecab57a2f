package io.javisor.api.state;

/** The machine went away while it was being saved. */
public final class SaveAbandonedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Says so. */
    public SaveAbandonedException() {
        super("the machine ended while it was being saved");
    }
}

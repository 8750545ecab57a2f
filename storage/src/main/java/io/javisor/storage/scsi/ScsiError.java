package io.javisor.storage.scsi;

/** Ends a command from inside its handler. */
final class ScsiError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient ScsiResult result;

    private ScsiError(ScsiResult result) {
        super(result.toString(), null, false, false);
        this.result = result;
    }

    static ScsiError check(Sense sense) {
        return new ScsiError(ScsiResult.check(sense));
    }

    static ScsiError conflict() {
        return new ScsiError(ScsiResult.conflict());
    }

    static ScsiError busy() {
        return new ScsiError(ScsiResult.busy());
    }

    ScsiResult result() {
        return result;
    }
}

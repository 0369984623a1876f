// prints: nbody 02b6ebf7 ok
//
// Five bodies under gravity, a coordinate pair of doubles per vector, in the
// order of operations of the plain version, so that both agree to the last bit.
#include <math.h>

#include "check.h"

enum { BODIES = 5, STEPS = 600000, CHECKED = 1000 };

typedef struct {
    double x[4], v[4], mass;
} body;

static const double START[BODIES][7] = {
    {0, 0, 0, 0, 0, 0, 39.47841760435743},
    {4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.606326392995832, 2.81198684491626, -0.02521836165988763, 0.03769367487038949},
    {8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -1.01077434617879, 1.82566237123041, 0.008415761376584154, 0.011286326131968767},
    {12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 1.08279100644154, 0.868713018169608, -0.010832637401363636, 0.0017237240570597112},
    {15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.979090732243898, 0.594698998647676, -0.034755955550407285, 0.0020336868699246304},
};

static body bodies[BODIES];

static void reset(void) {
    for (int i = 0; i < BODIES; i++) {
        for (int k = 0; k < 3; k++) bodies[i].x[k] = START[i][k], bodies[i].v[k] = START[i][k + 3];
        bodies[i].x[3] = bodies[i].v[3] = 0;
        bodies[i].mass = START[i][6];
    }
}

static void step(double dt) {
    for (int i = 0; i < BODIES; i++)
        for (int j = i + 1; j < BODIES; j++) {
            body *p = &bodies[i], *q = &bodies[j];
            v128_t low = wasm_f64x2_sub(wasm_v128_load(p->x), wasm_v128_load(q->x));
            v128_t high = wasm_f64x2_sub(wasm_v128_load(p->x + 2), wasm_v128_load(q->x + 2));
            v128_t squares = wasm_f64x2_mul(low, low);
            double z = wasm_f64x2_extract_lane(high, 0);
            double distance = wasm_f64x2_extract_lane(squares, 0) + wasm_f64x2_extract_lane(squares, 1) + z * z;
            double strength = dt / (distance * sqrt(distance));
            v128_t to_p = wasm_f64x2_splat(q->mass * strength), to_q = wasm_f64x2_splat(p->mass * strength);
            wasm_v128_store(p->v, wasm_f64x2_sub(wasm_v128_load(p->v), wasm_f64x2_mul(low, to_p)));
            wasm_v128_store(p->v + 2, wasm_f64x2_sub(wasm_v128_load(p->v + 2), wasm_f64x2_mul(high, to_p)));
            wasm_v128_store(q->v, wasm_f64x2_add(wasm_v128_load(q->v), wasm_f64x2_mul(low, to_q)));
            wasm_v128_store(q->v + 2, wasm_f64x2_add(wasm_v128_load(q->v + 2), wasm_f64x2_mul(high, to_q)));
        }
    v128_t time = wasm_f64x2_splat(dt);
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 4; k += 2) {
            v128_t moved = wasm_f64x2_mul(time, wasm_v128_load(bodies[i].v + k));
            wasm_v128_store(bodies[i].x + k, wasm_f64x2_add(wasm_v128_load(bodies[i].x + k), moved));
        }
}

static void step_plainly(double dt) {
    for (int i = 0; i < BODIES; i++)
        for (int j = i + 1; j < BODIES; j++) {
            body *p = &bodies[i], *q = &bodies[j];
            double d[3];
            for (int k = 0; k < 3; k++) d[k] = p->x[k] - q->x[k];
            double distance = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
            double strength = dt / (distance * sqrt(distance));
            double to_p = q->mass * strength, to_q = p->mass * strength;
            for (int k = 0; k < 3; k++) {
                p->v[k] -= d[k] * to_p;
                q->v[k] += d[k] * to_q;
            }
        }
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++) bodies[i].x[k] += dt * bodies[i].v[k];
}

int main(void) {
    reset();
    for (int i = 0; i < CHECKED; i++) step_plainly(0.01);
    body expected[BODIES];
    memcpy(expected, bodies, sizeof bodies);
    reset();
    int agrees = 1;
    for (int i = 0; i < STEPS; i++) {
        if (i == CHECKED) agrees = !memcmp(expected, bodies, sizeof bodies);
        step(0.01);
    }
    return report("nbody", hash(bodies, sizeof bodies), agrees);
}

/* A program of the C library alone: what starting the least of programs costs. */
int main(void)
{
    return 0;
}
